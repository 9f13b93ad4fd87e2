// Loops, branches, recurrent layers, equations and attention by calls.

#include "layer_check.h"

using namespace layer_check;

namespace {

ITensor* flag(INetworkDefinition& net, const bool* value) {
  return net.addConstant(scalar(), Weights{DataType::kBOOL, value, 1})->getOutput(0);
}

// x as rows of 3: 0 1 2, 3 4 5, 6 7 8, 9 10 11
ITensor* rows_of(INetworkDefinition& net, ITensor& x) {
  IShuffleLayer* rows = net.addShuffle(x);
  rows->setReshapeDimensions(Dims2{4, 3});
  return rows->getOutput(0);
}

ITensor* sum_of(INetworkDefinition& net, ITensor& a, ITensor& b) {
  return net.addElementWise(a, b, ElementWiseOperation::kSUM)->getOutput(0);
}

const std::vector<float> kZeros = {0, 0, 0}, kOne = {1}, kTwenty = {20};
const std::vector<int32_t> kFour = {4}, kThree = {3}, kUnit = {1}, kNought = {0}, kHundred = {100}, kSix = {6};

// Running sums over the rows of x.
ITensor* running_sums(INetworkDefinition& net, ITensor& x, LoopOutput kind, int axis, bool reverse) {
  ILoop* loop = net.addLoop();
  ITensor* trips = integers(net, scalar(), kFour);
  loop->addTripLimit(*trips, TripLimit::kCOUNT);
  IIteratorLayer* row = loop->addIterator(*rows_of(net, x), 0, reverse);
  IRecurrenceLayer* state = loop->addRecurrence(*constant(net, one(3), kZeros));
  ITensor* next = sum_of(net, *state->getOutput(0), *row->getOutput(0));
  if (next->getDimensions().nbDims != 1 || next->getDimensions().d[0] != 3) return nullptr;
  state->setInput(1, *next);
  if (kind == LoopOutput::kLAST_VALUE) return loop->addLoopOutput(*state->getOutput(0), kind)->getOutput(0);
  ILoopOutputLayer* out = loop->addLoopOutput(*next, kind, axis);
  out->setInput(1, *trips);
  const Dims dims = out->getOutput(0)->getDimensions();
  return dims.nbDims == 2 && dims.d[axis] == 4 ? out->getOutput(0) : nullptr;
}

void loops() {
  expect("loop, last value",
         [](INetworkDefinition& net, ITensor& x) { return running_sums(net, x, LoopOutput::kLAST_VALUE, 0, false); },
         {18, 22, 26});
  expect("loop, concatenation",
         [](INetworkDefinition& net, ITensor& x) { return running_sums(net, x, LoopOutput::kCONCATENATE, 0, false); },
         {0, 1, 2, 3, 5, 7, 9, 12, 15, 18, 22, 26});
  expect("loop, concatenation along another axis, backwards over x",
         [](INetworkDefinition& net, ITensor& x) { return running_sums(net, x, LoopOutput::kCONCATENATE, 1, true); },
         {9, 15, 18, 18, 10, 17, 21, 22, 11, 19, 24, 26});
  expect("loop, reverse",
         [](INetworkDefinition& net, ITensor& x) { return running_sums(net, x, LoopOutput::kREVERSE, 0, false); },
         {18, 22, 26, 9, 12, 15, 3, 5, 7, 0, 1, 2});
  // 1, 2, 4, … while below 20
  expect(
      "while",
      [](INetworkDefinition& net, ITensor&) {
        ILoop* loop = net.addLoop();
        IRecurrenceLayer* state = loop->addRecurrence(*constant(net, scalar(), kOne));
        ITensor* value = state->getOutput(0);
        loop->addTripLimit(
            *net.addElementWise(*value, *constant(net, scalar(), kTwenty), ElementWiseOperation::kLESS)->getOutput(0),
            TripLimit::kWHILE);
        state->setInput(1, *sum_of(net, *value, *value));
        ITensor* last = loop->addLoopOutput(*value, LoopOutput::kLAST_VALUE)->getOutput(0);
        ILoopOutputLayer* all = loop->addLoopOutput(*value, LoopOutput::kCONCATENATE);
        all->setInput(1, *integers(net, scalar(), kSix));
        IShuffleLayer* as_row = net.addShuffle(*last);
        as_row->setReshapeDimensions(one(1));
        ITensor* both[] = {as_row->getOutput(0), all->getOutput(0)};
        IConcatenationLayer* joined = net.addConcatenation(both, 2);
        joined->setAxis(0);
        return joined->getOutput(0);
      },
      {32, 1, 2, 4, 8, 16, 0});
  // sum over i < 3 of sum over j < 4 of row j
  expect("a loop in a loop",
         [](INetworkDefinition& net, ITensor& x) {
           ILoop* outer = net.addLoop();
           outer->addTripLimit(*integers(net, scalar(), kThree), TripLimit::kCOUNT);
           IRecurrenceLayer* total = outer->addRecurrence(*constant(net, one(3), kZeros));
           ILoop* inner = net.addLoop();
           inner->addTripLimit(*integers(net, scalar(), kFour), TripLimit::kCOUNT);
           IIteratorLayer* row = inner->addIterator(*rows_of(net, x));
           IRecurrenceLayer* part = inner->addRecurrence(*total->getOutput(0));
           part->setInput(1, *sum_of(net, *part->getOutput(0), *row->getOutput(0)));
           total->setInput(1, *inner->addLoopOutput(*part->getOutput(0), LoopOutput::kLAST_VALUE)->getOutput(0));
           return outer->addLoopOutput(*total->getOutput(0), LoopOutput::kLAST_VALUE)->getOutput(0);
         },
         {54, 66, 78});
}

// 100 turns: too many to be written out. Adds 1 to each element a turn.
ITensor* many_turns(INetworkDefinition& net, ITensor& x, LoopOutput kind) {
  ILoop* loop = net.addLoop();
  ITensor* trips = integers(net, scalar(), kHundred);
  loop->addTripLimit(*trips, TripLimit::kCOUNT);
  IRecurrenceLayer* state = loop->addRecurrence(x);
  ITensor* next = sum_of(net, *state->getOutput(0), *constant(net, Dims4{1, 1, 1, 1}, kOne));
  state->setInput(1, *next);
  if (kind == LoopOutput::kLAST_VALUE) return loop->addLoopOutput(*state->getOutput(0), kind)->getOutput(0);
  ILoopOutputLayer* all = loop->addLoopOutput(*next, kind);
  all->setInput(1, *trips);
  return net.addReduce(*all->getOutput(0), ReduceOperation::kMAX, 1U | 2U, false)->getOutput(0);
}

void long_loops() {
  expect("many turns", [](INetworkDefinition& net, ITensor& x) { return many_turns(net, x, LoopOutput::kLAST_VALUE); },
         {100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111});
  expect("rows of many turns",
         [](INetworkDefinition& net, ITensor& x) { return many_turns(net, x, LoopOutput::kCONCATENATE); },
         {100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111});
}

// The condition is whether the largest element of x is below `limit`.
ITensor* branches(INetworkDefinition& net, ITensor& x, const std::vector<float>& limit) {
  ITensor* largest = net.addReduce(x, ReduceOperation::kMAX, 15, false)->getOutput(0);
  IIfConditional* branch = net.addIfConditional();
  branch->setCondition(
      *net.addElementWise(*largest, *constant(net, scalar(), limit), ElementWiseOperation::kLESS)->getOutput(0));
  ITensor* inside = branch->addInput(x)->getOutput(0);
  ITensor* negated = net.addUnary(*inside, UnaryOperation::kNEG)->getOutput(0);
  ITensor* doubled = sum_of(net, *inside, *inside);
  return branch->addOutput(*negated, *doubled)->getOutput(0);
}

void conditionals() {
  expect("branch taken", [](INetworkDefinition& net, ITensor& x) { return branches(net, x, kTwenty); },
         {0, -1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11});
  expect("branch not taken", [](INetworkDefinition& net, ITensor& x) { return branches(net, x, kOne); },
         {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22});
  static const bool yes = true;
  expect("a known condition",
         [](INetworkDefinition& net, ITensor& x) {
           IIfConditional* branch = net.addIfConditional();
           branch->setCondition(*flag(net, &yes));
           ITensor* inside = branch->addInput(*rows_of(net, x))->getOutput(0);
           ITensor* sums = net.addReduce(*inside, ReduceOperation::kSUM, 2, false)->getOutput(0);
           ITensor* most = net.addReduce(*inside, ReduceOperation::kMAX, 2, false)->getOutput(0);
           return branch->addOutput(*sums, *most)->getOutput(0);
         },
         {3, 12, 21, 30});
}

void equations() {
  expect("equation of a product",
         [](INetworkDefinition& net, ITensor& x) {
           ITensor* rows = rows_of(net, x);
           ITensor* both[] = {rows, rows};
           return net.addEinsum(both, 2, "ij,kj->ik")->getOutput(0);
         },
         {5, 14, 23, 32, 14, 50, 86, 122, 23, 86, 149, 212, 32, 122, 212, 302});
  expect("equation of a sum",
         [](INetworkDefinition& net, ITensor& x) {
           ITensor* all[] = {&x};
           return net.addEinsum(all, 1, "abcd->d")->getOutput(0);
         },
         {18, 22, 26});
}

// --- recurrent layers: 2 samples of 2 steps of 3 elements are x; H = 1, weights are small integers over 8

const std::vector<float> kW = {0.125F, -0.25F, 0.0625F}, kR = {0.5F}, kB = {0.25F};
const std::vector<float> kH0 = {0.5F, -0.5F}, kC0 = {1, -1};
const std::vector<int32_t> kLengths = {2, 1};

Dims samples(int states) {
  Dims dims = Dims2();
  dims.nbDims = 3;
  dims.d[0] = 2, dims.d[1] = states, dims.d[2] = 1;
  return dims;
}

std::vector<RNNGateType> gates_of(RNNOperation op) {
  if (op == RNNOperation::kLSTM)
    return {RNNGateType::kINPUT, RNNGateType::kOUTPUT, RNNGateType::kFORGET, RNNGateType::kCELL};
  if (op == RNNOperation::kGRU) return {RNNGateType::kUPDATE, RNNGateType::kRESET, RNNGateType::kHIDDEN};
  return {RNNGateType::kINPUT};
}

IRNNv2Layer* recurrent(INetworkDefinition& net, ITensor& x, RNNOperation op, bool both_ways) {
  IShuffleLayer* steps = net.addShuffle(x);
  Dims dims = Dims2();
  dims.nbDims = 3;
  dims.d[0] = 2, dims.d[1] = 2, dims.d[2] = 3;
  steps->setReshapeDimensions(dims);
  IRNNv2Layer* layer = net.addRNNv2(*steps->getOutput(0), 1, 1, 2, op);
  if (both_ways) layer->setDirection(RNNDirection::kBIDIRECTION);
  for (int way = 0; way < (both_ways ? 2 : 1); ++way)
    for (RNNGateType gate : gates_of(op)) {
      layer->setWeightsForGate(way, gate, true, weights_of(kW));
      layer->setWeightsForGate(way, gate, false, weights_of(kR));
      layer->setBiasForGate(way, gate, true, weights_of(kB));
    }
  return layer;
}

// One gate that all operations here share: w x + r h + b.
float gate_sum(int sample, int step, float h) {
  const float first = static_cast<float>(sample * 6 + step * 3);
  return kW[0] * first + kW[1] * (first + 1) + kW[2] * (first + 2) + kR[0] * h + kB[0];
}
float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

struct State {
  float h, c;
};
State next_of(RNNOperation op, int sample, int step, State now) {
  const float sum = gate_sum(sample, step, now.h), gate = sigmoid(sum);
  switch (op) {
    case RNNOperation::kRELU:
      return {sum > 0 ? sum : 0, 0};
    case RNNOperation::kTANH:
      return {std::tanh(sum), 0};
    case RNNOperation::kLSTM: {
      const float c = gate * now.c + gate * std::tanh(sum);
      return {gate * std::tanh(c), c};
    }
    default: {
      const float without = gate_sum(sample, step, 0);
      const float h = std::tanh(without + gate * kR[0] * now.h);
      return {(1 - gate) * h + gate * now.h, 0};
    }
  }
}

void recurrent_layers() {
  for (RNNOperation op : {RNNOperation::kRELU, RNNOperation::kTANH, RNNOperation::kLSTM, RNNOperation::kGRU}) {
    std::vector<float> right;
    for (int sample = 0; sample < 2; ++sample) {
      State now{kH0[static_cast<size_t>(sample)], kC0[static_cast<size_t>(sample)]};
      for (int step = 0; step < 2; ++step) {
        now = next_of(op, sample, step, now);
        right.push_back(now.h);
      }
    }
    expect(
        "recurrent layer with first states",
        [op](INetworkDefinition& net, ITensor& x) {
          IRNNv2Layer* layer = recurrent(net, x, op, false);
          layer->setHiddenState(*constant(net, samples(1), kH0));
          if (op == RNNOperation::kLSTM) layer->setCellState(*constant(net, samples(1), kC0));
          return layer->getOutput(0);
        },
        right);
  }
  // Forward and backward of each step beside each other; the second sample has one step.
  std::vector<float> right;
  for (int sample = 0; sample < 2; ++sample) {
    const int length = kLengths[static_cast<size_t>(sample)];
    std::vector<float> rows(4, 0.0F);
    State ahead{0, 0}, back{0, 0};
    for (int step = 0; step < length; ++step) {
      ahead = next_of(RNNOperation::kGRU, sample, step, ahead);
      back = next_of(RNNOperation::kGRU, sample, length - 1 - step, back);
      rows[static_cast<size_t>(2 * step)] = ahead.h;
      rows[static_cast<size_t>(2 * (length - 1 - step) + 1)] = back.h;
    }
    right.insert(right.end(), rows.begin(), rows.end());
  }
  expect(
      "recurrent layer, both ways, lengths",
      [](INetworkDefinition& net, ITensor& x) {
        IRNNv2Layer* layer = recurrent(net, x, RNNOperation::kGRU, true);
        layer->setSequenceLengths(*integers(net, one(2), kLengths));
        return layer->getOutput(0);
      },
      right);
  // As one list: W of the gates in order f i c o, then R, then the biases of both.
  std::vector<float> list_right;
  for (int sample = 0; sample < 1; ++sample) {
    State now{0, 0};
    for (int step = 0; step < 4; ++step) {
      now = next_of(RNNOperation::kLSTM, 0, step, now);
      list_right.push_back(now.h);
    }
  }
  static std::vector<float> list, biases;
  for (int i = 0; i < 4; ++i) list.insert(list.end(), kW.begin(), kW.end());
  for (int i = 0; i < 4; ++i) list.insert(list.end(), kR.begin(), kR.end());
  for (int i = 0; i < 8; ++i) biases.push_back(i < 4 ? kB[0] : 0);
  expect(
      "recurrent layer, one list",
      [](INetworkDefinition& net, ITensor& x) {
        IShuffleLayer* steps = net.addShuffle(x);
        Dims dims = Dims2();
        dims.nbDims = 4;
        dims.d[0] = 1, dims.d[1] = 4, dims.d[2] = 1, dims.d[3] = 3;
        steps->setReshapeDimensions(dims);
        return net
            .addRNN(*steps->getOutput(0), 1, 1, 4, RNNOperation::kLSTM, RNNInputMode::kLINEAR,
                    RNNDirection::kUNIDIRECTION, weights_of(list), weights_of(biases))
            ->getOutput(0);
      },
      list_right);
}

// --- attention: queries, keys and values [1, heads, length, width]

ITensor* heads_of(INetworkDefinition& net, ITensor& x, int heads, int length, int width) {
  IShuffleLayer* shaped = net.addShuffle(x);
  shaped->setReshapeDimensions(Dims4{1, heads, length, width});
  return shaped->getOutput(0);
}

const std::vector<float> kTenth = {0.1F};

void attention() {
  // One query sees one key where the diagonal begins; later ones see means by weights.
  const auto weighted = [](const std::vector<float>& scores) {
    std::vector<float> e;
    float sum = 0;
    for (float s : scores) e.push_back(std::exp(s)), sum += e.back();
    for (float& v : e) v /= sum;
    return e;
  };
  for (int kind = 0; kind < 3; ++kind) {
    // queries 0.1 * (0 1 2), (3 4 5); keys and values the four rows of x
    std::vector<float> right;
    for (int i = 0; i < 2; ++i) {
      std::vector<float> scores;
      const int seen = kind == 0 ? 4 : kind == 1 ? i + 1 : i + 3;
      for (int j = 0; j < seen; ++j) {
        float s = 0;
        for (int d = 0; d < 3; ++d) s += 0.1F * static_cast<float>(3 * i + d) * 0.1F * static_cast<float>(3 * j + d);
        scores.push_back(s);
      }
      const std::vector<float> w = weighted(scores);
      for (int d = 0; d < 3; ++d) {
        float y = 0;
        for (int j = 0; j < seen; ++j) y += w[static_cast<size_t>(j)] * static_cast<float>(3 * j + d);
        right.push_back(y);
      }
    }
    expect(
        "attention",
        [kind](INetworkDefinition& net, ITensor& x) {
          ITensor* small = net.addElementWise(x, *constant(net, Dims4{1, 1, 1, 1}, kTenth), ElementWiseOperation::kPROD)
                               ->getOutput(0);
          ITensor* keys = heads_of(net, *small, 1, 4, 3);
          ITensor* queries = net.addSlice(*keys, Dims4{0, 0, 0, 0}, Dims4{1, 1, 2, 3}, Dims4{1, 1, 1, 1})->getOutput(0);
          IAttention* layer = net.addAttentionV2(*queries, *keys, *heads_of(net, x, 1, 4, 3),
                                                 AttentionNormalizationOp::kSOFTMAX, static_cast<CausalMaskKind>(kind));
          return layer->getOutput(0);
        },
        right);
  }
  // Two heads of queries share one of keys; no normalisation: Q K' V
  expect("attention without softmax, shared keys",
         [](INetworkDefinition& net, ITensor& x) {
           ITensor* q = heads_of(net, x, 2, 2, 3);
           ITensor* k = net.addSlice(*q, Dims4{0, 0, 0, 0}, Dims4{1, 1, 2, 3}, Dims4{1, 1, 1, 1})->getOutput(0);
           return net.addAttention(*q, *k, *k, AttentionNormalizationOp::kNONE, false)->getOutput(0);
         },
         {42, 61, 80, 150, 214, 278, 258, 367, 476, 366, 520, 674});
  static const std::vector<float> cosine = {0, 1}, sine = {1, 0};
  Dims table = Dims2();
  table.nbDims = 3;
  table.d[0] = 1, table.d[1] = 2, table.d[2] = 1;
  expect("rotary embedding",
         [table](INetworkDefinition& net, ITensor& x) {
           return net
               .addRotaryEmbedding(*heads_of(net, x, 3, 2, 2), *constant(net, table, cosine),
                                   *constant(net, table, sine), false, 0)
               ->getOutput(0);
         },
         {-1, 0, 2, 3, -5, 4, 6, 7, -9, 8, 10, 11});
  static const std::vector<float> update = {70, 80, 90};
  expect("cache update",
         [](INetworkDefinition& net, ITensor& x) {
           ITensor* fresh = constant(net, Dims4{1, 1, 1, 3}, update);
           return net
               .addKVCacheUpdate(*heads_of(net, x, 1, 4, 3), *fresh, *integers(net, one(1), kUnit),
                                 KVCacheMode::kLINEAR)
               ->getOutput(0);
         },
         {0, 1, 2, 70, 80, 90, 6, 7, 8, 9, 10, 11});
}

void experts() {
  // Expert e: gate = up = sum of x, times (e + 1); down spreads it over both elements.
  static const std::vector<float> gate = {1, 1, 2, 2}, up = {1, 1, 1, 1}, down = {1, 1, 1, 1};
  static const std::vector<int32_t> chosen = {0, 1};
  static const std::vector<float> scores = {0.25F, 0.75F}, token = {0.5F, 0.25F};
  const auto silu = [](float v) { return v / (1 + std::exp(-v)); };
  const float y = 0.25F * silu(0.75F) * 0.75F + 0.75F * silu(1.5F) * 0.75F;
  Dims three = Dims2();
  three.nbDims = 3;
  three.d[0] = 1, three.d[1] = 1, three.d[2] = 2;
  Dims in = three, out = three;
  in.d[0] = 2, in.d[1] = 2, in.d[2] = 1;
  out.d[0] = 2, out.d[1] = 1, out.d[2] = 2;
  expect("experts",
         [=](INetworkDefinition& net, ITensor&) {
           IMoELayer* layer =
               net.addMoE(*constant(net, three, token), *integers(net, three, chosen), *constant(net, three, scores));
           layer->setGatedWeights(*constant(net, in, gate), *constant(net, in, up), *constant(net, out, down),
                                  MoEActType::kSILU);
           return layer->getOutput(0);
         },
         {y, y});
}

void blocks() {
  // Blocks of 6: scales 5 / 127 and 11 / 127.
  Dims block = Dims2();
  block.nbDims = 4;
  block.d[0] = 1, block.d[1] = 1, block.d[2] = 2, block.d[3] = 3;
  expect("block scales",
         [block](INetworkDefinition& net, ITensor& x) {
           return net.addDynamicQuantizeV2(x, block, DataType::kINT8, DataType::kFLOAT)->getOutput(1);
         },
         {5.0F / 127, 11.0F / 127});
  expect("quantised by block",
         [block](INetworkDefinition& net, ITensor& x) {
           return net
               .addCast(*net.addDynamicQuantizeV2(x, block, DataType::kINT8, DataType::kFLOAT)->getOutput(0),
                        DataType::kFLOAT)
               ->getOutput(0);
         },
         {0, 25, 51, 76, 102, 127, 69, 81, 92, 104, 115, 127});
  // The largest power of 2 that is needed: 11 / 448 -> 2^-5
  expect("scales that are powers of 2",
         [](INetworkDefinition& net, ITensor& x) {
           IDynamicQuantizeLayer* layer =
               net.addDynamicQuantize(*rows_of(net, x), 1, 3, DataType::kFP8, DataType::kE8M0);
           return net.addCast(*layer->getOutput(1), DataType::kFLOAT)->getOutput(0);
         },
         {1.0F / 128, 1.0F / 64, 1.0F / 32, 1.0F / 32});
}

}  // namespace

int main() {
  loops();
  long_loops();
  conditionals();
  equations();
  recurrent_layers();
  attention();
  experts();
  blocks();
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
