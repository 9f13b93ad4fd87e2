// Layers by calls, one network each.

#include "layer_check.h"

using namespace layer_check;

namespace {

void windows() {
  static const std::vector<float> kernel = {1, 1, 1, 1, 1, 1, 1, 1}, bias = {0.5F};
  expect("convolution",
         [](INetworkDefinition& net, ITensor& x) {
           return net.addConvolutionNd(x, 1, Dims2{2, 2}, weights_of(kernel), weights_of(bias))->getOutput(0);
         },
         {40.5F, 48.5F});
  expect("convolution, same",
         [](INetworkDefinition& net, ITensor& x) {
           IConvolutionLayer* layer = net.addConvolutionNd(x, 1, Dims2{2, 2}, weights_of(kernel), kNone);
           layer->setStrideNd(Dims2{2, 2});
           layer->setPaddingMode(PaddingMode::kSAME_UPPER);
           return layer->getOutput(0);
         },
         {40, 26});
  expect("pooling, rounded up",
         [](INetworkDefinition& net, ITensor& x) {
           IPoolingLayer* layer = net.addPoolingNd(x, PoolingType::kMAX, Dims2{2, 2});
           layer->setStrideNd(Dims2{2, 2});
           layer->setPaddingMode(PaddingMode::kEXPLICIT_ROUND_UP);
           return layer->getOutput(0);
         },
         {4, 5, 10, 11});
  expect("pooling, blended",
         [](INetworkDefinition& net, ITensor& x) {
           IPoolingLayer* layer = net.addPoolingNd(x, PoolingType::kMAX_AVERAGE_BLEND, Dims2{2, 3});
           layer->setBlendFactor(0.5F);
           return layer->getOutput(0);
         },
         {3.75F, 9.75F});
  static const std::vector<float> pair = {1, 2};
  expect("deconvolution",
         [](INetworkDefinition& net, ITensor& x) {
           IDeconvolutionLayer* layer = net.addDeconvolutionNd(x, 1, Dims2{1, 1}, weights_of(pair), kNone);
           return layer->getOutput(0);
         },
         {12, 15, 18, 21, 24, 27});
  static const std::vector<float> full = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  expect("full connection",
         [](INetworkDefinition& net, ITensor& x) {
           return net.addFullyConnected(x, 1, weights_of(full), kNone)->getOutput(0);
         },
         {11});
  expect("padding",
         [](INetworkDefinition& net, ITensor& x) {
           return net.addPaddingNd(x, Dims2{0, -1}, Dims2{-1, 1})->getOutput(0);
         },
         {1, 2, 0, 7, 8, 0});
  expect("LRN", [](INetworkDefinition& net, ITensor& x) { return net.addLRN(x, 1, 0, 1, 2)->getOutput(0); },
         {0, 0.5F, 1, 1.5F, 2, 2.5F, 3, 3.5F, 4, 4.5F, 5, 5.5F});
}

void elements() {
  static const std::vector<float> two = {1, 10}, up = {1, 2};
  expect("scale",
         [](INetworkDefinition& net, ITensor& x) {
           return net.addScale(x, ScaleMode::kCHANNEL, weights_of(up), weights_of(two), kNone)->getOutput(0);
         },
         {1, 2, 3, 4, 5, 6, 62, 72, 82, 92, 102, 112});
  expect("clip",
         [](INetworkDefinition& net, ITensor& x) {
           IActivationLayer* layer = net.addActivation(x, ActivationType::kCLIP);
           layer->setAlpha(2);
           layer->setBeta(4);
           return layer->getOutput(0);
         },
         {2, 2, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4});
  static const std::vector<float> four = {4};
  expect("floor division",
         [](INetworkDefinition& net, ITensor& x) {
           return net.addElementWise(x, *constant(net, Dims4{1, 1, 1, 1}, four), ElementWiseOperation::kFLOOR_DIV)
               ->getOutput(0);
         },
         {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2});
  expect("unary",
         [](INetworkDefinition& net, ITensor& x) { return net.addUnary(x, UnaryOperation::kNEG)->getOutput(0); },
         {0, -1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11});
  expect("select",
         [](INetworkDefinition& net, ITensor& x) {
           ITensor* c = constant(net, Dims4{1, 1, 1, 1}, four);
           return net.addSelect(*net.addElementWise(x, *c, ElementWiseOperation::kLESS)->getOutput(0), x, *c)
               ->getOutput(0);
         },
         {0, 1, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4});
  expect("PReLU",
         [](INetworkDefinition& net, ITensor& x) {
           ITensor* minus = net.addUnary(x, UnaryOperation::kNEG)->getOutput(0);
           return net.addParametricReLU(*minus, *constant(net, Dims4{1, 2, 1, 1}, up))->getOutput(0);
         },
         {0, -1, -2, -3, -4, -5, -12, -14, -16, -18, -20, -22});
  static const std::vector<float> half = {0.5F};
  expect("quantise and back",
         [](INetworkDefinition& net, ITensor& x) {
           ITensor* scale = constant(net, scalar(), half);
           return net.addDequantize(*net.addQuantize(x, *scale)->getOutput(0), *scale)->getOutput(0);
         },
         {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
}

void sums() {
  expect("reduce",
         [](INetworkDefinition& net, ITensor& x) {
           return net.addReduce(x, ReduceOperation::kAVG, 1U << 3, false)->getOutput(0);
         },
         {1, 4, 7, 10});
  expect("product",
         [](INetworkDefinition& net, ITensor& x) {
           return net.addMatrixMultiply(x, MatrixOperation::kNONE, x, MatrixOperation::kTRANSPOSE)->getOutput(0);
         },
         {5, 14, 14, 50, 149, 212, 212, 302});
  static const std::vector<float> ones = {1, 1, 1};
  expect("product with a vector",
         [](INetworkDefinition& net, ITensor& x) {
           IShuffleLayer* flat = net.addShuffle(x);
           flat->setReshapeDimensions(Dims2{4, 3});
           return net
               .addMatrixMultiply(*flat->getOutput(0), MatrixOperation::kNONE, *constant(net, one(3), ones),
                                  MatrixOperation::kVECTOR)
               ->getOutput(0);
         },
         {3, 12, 21, 30});
  expect(
      "top k",
      [](INetworkDefinition& net, ITensor& x) { return net.addTopK(x, TopKOperation::kMAX, 2, 1U << 3)->getOutput(1); },
      {2, 1, 2, 1, 2, 1, 2, 1});
  expect("softmax", [](INetworkDefinition& net, ITensor& x) { return net.addSoftMax(x)->getOutput(0); },
         {0.00247262F, 0.00247262F, 0.00247262F, 0.00247262F, 0.00247262F, 0.00247262F, 0.997527F, 0.997527F, 0.997527F,
          0.997527F, 0.997527F, 0.997527F});
  static const std::vector<float> gain = {1}, shift = {0};
  expect("normalisation",
         [](INetworkDefinition& net, ITensor& x) {
           return net
               .addNormalization(x, *constant(net, Dims4{1, 1, 1, 1}, gain), *constant(net, Dims4{1, 1, 1, 1}, shift),
                                 1U << 3)
               ->getOutput(0);
         },
         {-1.22474F, 0, 1.22474F, -1.22474F, 0, 1.22474F, -1.22474F, 0, 1.22474F, -1.22474F, 0, 1.22474F});
  static const std::vector<int32_t> last = {3};
  expect("running sum",
         [](INetworkDefinition& net, ITensor& x) {
           return net.addCumulative(x, *integers(net, scalar(), last), CumulativeOperation::kSUM, false, false)
               ->getOutput(0);
         },
         {0, 1, 3, 3, 7, 12, 6, 13, 21, 9, 19, 30});
}

void shapes() {
  expect("shuffle",
         [](INetworkDefinition& net, ITensor& x) {
           IShuffleLayer* layer = net.addShuffle(x);
           layer->setFirstTranspose(Permutation{{0, 2, 3, 1, 0, 0, 0, 0}});
           layer->setReshapeDimensions(Dims2{0, -1});
           return layer->getOutput(0);
         },
         {0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11});
  expect("concatenation",
         [](INetworkDefinition& net, ITensor& x) {
           ITensor* both[] = {&x, &x};
           IConcatenationLayer* layer = net.addConcatenation(both, 2);
           layer->setAxis(3);
           return net.addSlice(*layer->getOutput(0), Dims4{0, 1, 1, 0}, Dims4{1, 1, 1, 6}, Dims4{1, 1, 1, 1})
               ->getOutput(0);
         },
         {9, 10, 11, 9, 10, 11});
  expect("slice backwards",
         [](INetworkDefinition& net, ITensor& x) {
           return net.addSlice(x, Dims4{0, 1, 0, 2}, Dims4{1, 1, 2, 3}, Dims4{1, 1, 1, -1})->getOutput(0);
         },
         {8, 7, 6, 11, 10, 9});
  expect("slice, reflected",
         [](INetworkDefinition& net, ITensor& x) {
           ISliceLayer* layer = net.addSlice(x, Dims4{0, 0, 0, -1}, Dims4{1, 1, 1, 5}, Dims4{1, 1, 1, 1});
           layer->setMode(SliceMode::kREFLECT);
           return layer->getOutput(0);
         },
         {1, 0, 1, 2, 1});
  expect("slice, filled",
         [](INetworkDefinition& net, ITensor& x) {
           ISliceLayer* layer = net.addSlice(x, Dims4{0, 0, 0, -1}, Dims4{1, 1, 1, 5}, Dims4{1, 1, 1, 1});
           layer->setMode(SliceMode::kFILL);
           return layer->getOutput(0);
         },
         {0, 0, 1, 2, 0});
  expect("shape", [](INetworkDefinition& net, ITensor& x) { return net.addShape(x)->getOutput(0); }, {1, 2, 2, 3});
  expect("resize",
         [](INetworkDefinition& net, ITensor& x) {
           IResizeLayer* layer = net.addResize(x);
           layer->setOutputDimensions(Dims4{1, 2, 2, 6});
           return net.addReduce(*layer->getOutput(0), ReduceOperation::kMAX, 7, false)->getOutput(0);
         },
         {9, 9, 10, 10, 11, 11});
  static const std::vector<int32_t> chosen = {1, 0};
  expect("gather",
         [](INetworkDefinition& net, ITensor& x) {
           return net.addGather(x, *integers(net, one(2), chosen), 1)->getOutput(0);
         },
         {6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5});
  expect("fill",
         [](INetworkDefinition& net, ITensor&) {
           IFillLayer* layer = net.addFill(one(4), FillOperation::kLINSPACE);
           layer->setAlpha(1);
           layer->setBeta(0.5);
           return layer->getOutput(0);
         },
         {1, 1.5F, 2, 2.5F});
  static const std::vector<float> on_off = {0, 1};
  static const std::vector<int32_t> depth = {2};
  expect("one hot",
         [](INetworkDefinition& net, ITensor&) {
           ITensor* values = constant(net, one(2), on_off);
           return net.addOneHot(*integers(net, one(2), chosen), *values, *integers(net, scalar(), depth), -1)
               ->getOutput(0);
         },
         {0, 1, 1, 0});
  expect("scatter",
         [](INetworkDefinition& net, ITensor&) {
           return net
               .addScatter(*constant(net, one(2), on_off), *integers(net, one(2), chosen),
                           *constant(net, one(2), on_off), ScatterMode::kELEMENT)
               ->getOutput(0);
         },
         {1, 0});
  expect("a setter after a question",
         [](INetworkDefinition& net, ITensor& x) {
           IPoolingLayer* pool = net.addPoolingNd(x, PoolingType::kAVERAGE, Dims2{1, 1});
           IUnaryLayer* after = net.addUnary(*pool->getOutput(0), UnaryOperation::kNEG);
           if (after->getOutput(0)->getDimensions().d[3] != 3) return static_cast<ITensor*>(nullptr);
           pool->setWindowSizeNd(Dims2{2, 3});
           return after->getOutput(0);
         },
         {-2.5F, -8.5F});
}

// x -> 0.5 x -> -0.5 x -> itself, after `change` had its way with each layer.
struct Halves {
  std::unique_ptr<IBuilder> builder{createInferBuilder(logger)};
  std::unique_ptr<INetworkDefinition> network{explicit_network(*builder)};
  std::unique_ptr<ICudaEngine> engine;

  explicit Halves(const std::function<void(ILayer&)>& change) {
    static const float kHalf = 0.5F;
    std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
    config->setBuilderOptimizationLevel(0);
    ITensor* x = network->addInput("x", DataType::kFLOAT, Dims4{1, 2, 2, 3});
    const Weights half{DataType::kFLOAT, &kHalf, 1}, none{DataType::kFLOAT, nullptr, 0};
    ILayer* first = network->addScale(*x, ScaleMode::kUNIFORM, none, half, none);
    ILayer* second = network->addUnary(*first->getOutput(0), UnaryOperation::kNEG);
    ILayer* third = network->addIdentity(*second->getOutput(0));
    network->markOutput(*third->getOutput(0));
    for (ILayer* layer : {first, second, third}) change(*layer);
    engine.reset(builder->buildEngineWithConfig(*network, *config));
  }
  DataType type() const { return engine == nullptr ? DataType::kBOOL : engine->getBindingDataType(1); }
};

// A layer's type is how its floats may be stored inside; a tensor's type is what the program sees.
void types() {
  for (DataType wanted : {DataType::kINT8, DataType::kHALF, DataType::kFLOAT}) {
    const Halves made([&](ILayer& layer) {
      if (wanted == DataType::kHALF && layer.getType() == LayerType::kIDENTITY) return;  // which would convert
      layer.setPrecision(wanted);
      layer.setOutputType(0, wanted);
      EXPECT(layer.outputTypeIsSet(0) && layer.getOutputType(0) == wanted);
    });
    EXPECT(made.type() == DataType::kFLOAT);
    if (made.type() != DataType::kFLOAT) continue;
    std::unique_ptr<IExecutionContext> context(made.engine->createExecutionContext());
    float x[12], y[12] = {};
    for (int i = 0; i < 12; ++i) x[i] = static_cast<float>(i);
    void* bindings[2] = {x, y};
    EXPECT(context->executeV2(bindings));
    for (int i = 0; i < 12; ++i) EXPECT(near(y[i], -0.5F * x[i]));
  }
  EXPECT(Halves([](ILayer& layer) { layer.getOutput(0)->setType(DataType::kHALF); }).type() == DataType::kHALF);
  EXPECT(Halves([](ILayer& layer) {
           layer.setOutputType(0, DataType::kHALF);
           layer.getOutput(0)->setType(DataType::kHALF);
         }).type() == DataType::kHALF);
  EXPECT(Halves([](ILayer& layer) { layer.setOutputType(0, DataType::kINT32); }).type() == DataType::kINT32);
}

}  // namespace

int main() {
  types();
  windows();
  elements();
  sums();
  shapes();
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
