#include "sweep/sketch.h"

#include <algorithm>
#include <limits>

#include "support/tensors.h"

namespace planish::testing {

Sketch::Sketch(uint32_t seed) {
  random.seed(seed);
  graph.name = "sweep";
  whole = pick(3) > 0;
  sample.bound = whole ? Bound::exact : Bound::rounded;
}

int64_t Sketch::extent(int64_t most) {
  static const int64_t around[] = {4, 8, 16, 32, 48, 64, 96, 128};
  if (one_in(2)) return between(1, most);
  return std::clamp<int64_t>(any_of(around) + pick(3) - 1, 1, most);
}

Tensor Sketch::data(const Ints& extents, float scale) {
  return whole ? integer_tensor(extents, random()) : random_tensor(extents, random(), scale);
}

ValueId Sketch::input(Tensor values) {
  const std::string name = "x" + std::to_string(sample.inputs.size());
  const ValueId id = graph.add_input(name, values.type());
  sample.inputs[name] = std::move(values);
  return id;
}

ValueId Sketch::placed(const Ints& extents, const Fill& fill) {
  const int axes = static_cast<int>(extents.size());
  const auto rotated_input = [&](const Ints& dims) {
    Ints turned = dims;
    std::rotate(turned.begin() + 1, turned.begin() + 2, turned.end());
    return op("transpose", {input(fill(turned))}, {{"perm", rotation(axes, false)}});
  };
  if (axes == 0) return input(fill(extents));
  const auto axis = static_cast<size_t>(pick(axes));
  Ints wide = extents;
  switch (pick(8)) {
    case 0:
    case 1:
      if (axes >= 3) return rotated_input(extents);
      break;
    case 2:
    case 3: {  // a window, of channels mostly
      const size_t at = axes >= 2 && one_in(2) ? 1 : axis;
      const int64_t before = pick(4);
      wide[at] += before + pick(4);
      const ValueId x = axes >= 3 && one_in(2) ? rotated_input(wide) : input(fill(wide));
      return op("slice", {x, ints({before}), ints({before + extents[at]}), ints({static_cast<int64_t>(at)})});
    }
    case 4:
      if (extents[axis] == 0) break;
      wide[axis] = 2 * extents[axis] - pick(2);
      return op("slice", {input(fill(wide)), ints({0}), ints({std::numeric_limits<int64_t>::max()}),
                          ints({static_cast<int64_t>(axis)}), ints({2})});
    case 5:
      wide[axis] = 1;
      return op("expand", {input(fill(wide)), ints(extents)});
    case 6: {
      const ValueId x = input(fill(extents));
      return holds_floats(x) ? op("relu", {x}) : x;
    }
    default:
      break;
  }
  return input(fill(extents));
}

ValueId Sketch::operand(const Ints& extents) {
  return placed(extents, [this](const Ints& dims) { return data(dims); });
}

ValueId Sketch::bytes(const Ints& extents, DataType type) {
  return placed(extents, [this, type](const Ints& dims) {
    return type == DataType::u8 ? random_integers<uint8_t>(dims, random(), 0, 255)
                                : random_integers<int8_t>(dims, random(), -128, 127);
  });
}

ValueId Sketch::like(ValueId y) {
  Ints extents = dims(y);
  if (one_in(3))
    for (int64_t& extent : extents) extent = one_in(2) ? 1 : extent;
  if (one_in(6) && !extents.empty()) extents.erase(extents.begin());
  return operand(extents);
}

ValueId Sketch::step(ValueId y) {
  static const char* const curves[] = {"sigmoid", "silu", "gelu", "hard_swish", "tanh", "mish", "hard_sigmoid", "elu"};
  Ints row(static_cast<size_t>(std::max(rank(y) - 1, 0)), 1);
  if (!row.empty()) row[0] = dims(y)[1];
  switch (pick(whole ? 9 : 12)) {
    case 0:
      return op("relu", {y});
    case 1:
      return op("clip", {y, scalar(-3), scalar(17)});
    case 2:
      return op("add", {y, weights(row)});
    case 3:
      return op("add", {y, like(y)});
    case 4:
      return op("add", {operand(dims(y)), y});
    case 5:
      return op("relu", {op("add", {y, operand(dims(y))})});
    case 6: {
      const ValueId other = operand(dims(y));
      return op("mul", {op("sub", {y, other}), other});
    }
    case 7:
      return op("leaky_relu", {y}, {{"alpha", 0.125}});
    case 8:
      return op("max", {y, like(y)});
    default:
      return op(any_of(curves), {y});
  }
}

ValueId Sketch::followed(ValueId y) {
  for (int steps = pick(4); steps > 0; --steps) y = step(y);
  return y;
}

void Sketch::finish(ValueId y) {
  const int axes = rank(y);
  if (axes >= 2 && one_in(3)) {
    const size_t axis = one_in(3) ? static_cast<size_t>(pick(axes)) : 1;
    Ints beside = dims(y);
    beside[axis] = 1 + pick(5);
    const DataType dtype = type(y).dtype;
    const auto other = [&] { return dtype == DataType::f32 ? operand(beside) : bytes(beside, dtype); };
    if (dtype == DataType::f32 || dtype == DataType::u8 || dtype == DataType::i8) {
      const ValueId first = other();
      y = op("concat", one_in(2) ? std::vector<ValueId>{first, y} : std::vector<ValueId>{first, y, other()},
             {{"axis", static_cast<int64_t>(axis)}});
    }
  } else if (axes >= 3 && one_in(4)) {
    y = op("transpose", {y}, {{"perm", rotation(axes, true)}});
  }
  graph.add_output(y);
  if (holds_floats(y) && one_in(6)) graph.add_output(op("relu", {y}));
}

std::vector<Family> all_families() {
  std::vector<Family> all;
  for (const auto part : {conv_families(), product_families(), quantized_families(), row_families(),
                          movement_families(), pointwise_families(), pool_families()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

Sample draw_sample(const Family& family, uint32_t seed) {
  Sketch sketch(seed);
  family.draw(sketch);
  sketch.sample.graph = std::move(sketch.graph);
  return std::move(sketch.sample);
}

}  // namespace planish::testing
