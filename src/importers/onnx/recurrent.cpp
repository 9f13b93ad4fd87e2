// LSTM, GRU and RNN. layout=1: the batch is the first axis of X, of the results and of the initial states.

#include "importers/onnx/pieces.h"

namespace planish::onnx {
namespace {

template <const char* const& op>
void import_recurrent(NodeContext& context) {
  Attrs attrs = context.attrs();
  attrs.erase("layout");
  attrs.erase("output_sequence");  // of opset 1: Y is wanted, which its name says as well
  const int64_t layout = context.get_or<int64_t>("layout", 0);
  if (layout == 0) return context.emit(op, context.inputs(), std::move(attrs));
  if (layout != 1) fail(Code::invalid_model, "attribute 'layout' is {}; 0 and 1 are accepted", layout);
  std::vector<ValueId> inputs = context.inputs();
  for (size_t i : {0, 5, 6})
    if (context.has_input(i)) {
      require_range(context, i, 3, 3);
      inputs[i] = transposed(context, inputs[i], {1, 0, 2});
    }
  const auto count = static_cast<int>(context.proto().outputs.size());
  const NodeId node = add_node(context.graph(), op, std::move(inputs), std::move(attrs), context.name(), count);
  const std::vector<ValueId> outputs = context.graph().node(node).outputs;
  for (ValueId output : outputs)
    context.results.push_back(output == outputs[0] ? transposed(context, output, {2, 0, 1, 3})
                                                   : transposed(context, output, {1, 0, 2}));
}
const char* const kLstm = "lstm";
const char* const kGru = "gru";
const char* const kRnn = "rnn";

}  // namespace

void register_recurrent(ImporterTable& table) {
  table.add("LSTM", import_recurrent<kLstm>);
  table.add("GRU", import_recurrent<kGru>);
  table.add("RNN", import_recurrent<kRnn>);
}

}  // namespace planish::onnx
