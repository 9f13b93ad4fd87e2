#include "kernels/pointwise.h"

#include <array>

#include "base/scanner.h"

namespace planish {
namespace {

constexpr size_t kLargestProgram = 4096;

struct Row {
  std::string_view name;
  int arity;
};
constexpr std::array<Row, 55> kRows = {{
    {"constant", 0},   {"neg", 1},        {"abs", 1},           {"exp", 1},        {"log", 1},         {"sqrt", 1},
    {"rsqrt", 1},      {"reciprocal", 1}, {"sin", 1},           {"cos", 1},        {"tan", 1},         {"asin", 1},
    {"acos", 1},       {"atan", 1},       {"sinh", 1},          {"cosh", 1},       {"tanh", 1},        {"asinh", 1},
    {"acosh", 1},      {"atanh", 1},      {"erf", 1},           {"sigmoid", 1},    {"floor", 1},       {"ceil", 1},
    {"round", 1},      {"trunc", 1},      {"sign", 1},          {"not", 1},        {"is_nan", 1},      {"bit_not", 1},
    {"softplus", 1},   {"add", 2},        {"sub", 2},           {"mul", 2},        {"div", 2},         {"pow", 2},
    {"min", 2},        {"max", 2},        {"mod", 2},           {"fmod", 2},       {"equal", 2},       {"less", 2},
    {"less_equal", 2}, {"greater", 2},    {"greater_equal", 2}, {"and", 2},        {"or", 2},          {"xor", 2},
    {"bit_and", 2},    {"bit_or", 2},     {"bit_xor", 2},       {"shift_left", 2}, {"shift_right", 2}, {"is_inf", 2},
    {"select", 3},
}};

uint16_t parse_register(Scanner& scanner) {
  scanner.expect("r");
  const int64_t index = scanner.integer();
  if (index < 0 || index >= static_cast<int64_t>(kLargestProgram))
    fail(Code::invalid_plan, "register {} in a program", index);
  return static_cast<uint16_t>(index);
}

PwOp parse_op(const std::string& name) {
  for (size_t i = 0; i < kRows.size(); ++i)
    if (kRows[i].name == name) return static_cast<PwOp>(i);
  fail(Code::invalid_plan, "'{}' is no primitive of a pointwise program", name);
}

PwInstr parse_instruction(Scanner& scanner) {
  PwInstr instruction;
  instruction.op = parse_op(scanner.word());
  scanner.expect("(");
  if (instruction.op == PwOp::constant) instruction.immediate = scanner.number().value;
  uint16_t* operands[] = {&instruction.a, &instruction.b, &instruction.c};
  for (int i = 0; i < pw_arity(instruction.op); ++i) {
    if (i > 0) scanner.expect(",");
    *operands[i] = parse_register(scanner);
  }
  scanner.expect(")");
  return instruction;
}

}  // namespace

int pw_arity(PwOp op) { return kRows[static_cast<size_t>(op)].arity; }
std::string_view pw_name(PwOp op) { return kRows[static_cast<size_t>(op)].name; }

int64_t pw_integer(double immediate) {
  constexpr double kBeyond = 9223372036854775808.0;  // 2^63
  if (immediate >= kBeyond) return INT64_MAX;
  return immediate > -kBeyond ? static_cast<int64_t>(immediate) : immediate != immediate ? 0 : INT64_MIN;
}

std::string PointwiseProgram::str() const {
  std::string text = fmt::format("{}: ", inputs);
  for (size_t i = 0; i < code.size(); ++i) {
    const PwInstr& instruction = code[i];
    text += fmt::format("r{} = {}(", static_cast<size_t>(inputs) + i, pw_name(instruction.op));
    if (instruction.op == PwOp::constant) text += print_double(instruction.immediate);
    const uint16_t operands[] = {instruction.a, instruction.b, instruction.c};
    for (int k = 0; k < pw_arity(instruction.op); ++k) text += fmt::format("{}r{}", k > 0 ? ", " : "", operands[k]);
    text += "); ";
  }
  text += "return";
  for (size_t i = 0; i < results.size(); ++i) text += fmt::format("{}r{}", i > 0 ? ", " : " ", results[i]);
  return text;
}

PointwiseProgram PointwiseProgram::parse(std::string_view text) {
  Scanner scanner(text);
  PointwiseProgram program;
  try {
    program.inputs = static_cast<int>(scanner.integer());
    scanner.expect(":");
    while (!scanner.accept_word("return")) {
      if (parse_register(scanner) != program.inputs + static_cast<int64_t>(program.code.size()))
        fail(Code::invalid_plan, "registers of a pointwise program are out of order");
      scanner.expect("=");
      program.code.push_back(parse_instruction(scanner));
      scanner.expect(";");
    }
    do program.results.push_back(parse_register(scanner));
    while (scanner.accept(","));
    if (!scanner.at_end()) scanner.fail_here("the end of the program");
  } catch (const Error& error) {
    fail(Code::invalid_plan, "pointwise program '{}': {}", text.substr(0, 200), error.what());
  }
  program.verify();
  return program;
}

void PointwiseProgram::verify() const {
  if (inputs < 0 || inputs > 256 || code.size() > kLargestProgram || results.empty())
    fail(Code::invalid_plan, "a pointwise program of {} inputs, {} instructions, {} results", inputs, code.size(),
         results.size());
  size_t defined = static_cast<size_t>(inputs);
  for (const PwInstr& instruction : code) {
    const uint16_t operands[] = {instruction.a, instruction.b, instruction.c};
    for (int k = 0; k < pw_arity(instruction.op); ++k)
      if (operands[k] >= defined) fail(Code::invalid_plan, "register r{} is used before it is defined", operands[k]);
    ++defined;
  }
  for (uint16_t result : results)
    if (result >= defined) fail(Code::invalid_plan, "register r{} is returned and never defined", result);
}

PwBuilder::Reg PwBuilder::emit(PwInstr instruction) {
  for (size_t i = 0; i < program_.code.size(); ++i)
    if (program_.code[i] == instruction) return static_cast<Reg>(static_cast<size_t>(program_.inputs) + i);
  program_.code.push_back(instruction);
  return static_cast<Reg>(static_cast<size_t>(program_.inputs) + program_.code.size() - 1);
}

PwBuilder::Reg PwBuilder::constant(double value) { return emit({PwOp::constant, 0, 0, 0, value}); }
PwBuilder::Reg PwBuilder::unary(PwOp op, Reg a) { return emit({op, a, 0, 0, 0}); }
PwBuilder::Reg PwBuilder::binary(PwOp op, Reg a, Reg b) { return emit({op, a, b, 0, 0}); }
PwBuilder::Reg PwBuilder::select(Reg condition, Reg then, Reg otherwise) {
  return emit({PwOp::select, condition, then, otherwise, 0});
}

std::vector<PwBuilder::Reg> PwBuilder::inline_program(const PointwiseProgram& program,
                                                      const std::vector<Reg>& arguments) {
  std::vector<Reg> registers = arguments;
  for (PwInstr instruction : program.code) {
    const int arity = pw_arity(instruction.op);
    if (arity > 0) instruction.a = registers.at(instruction.a);
    if (arity > 1) instruction.b = registers.at(instruction.b);
    if (arity > 2) instruction.c = registers.at(instruction.c);
    registers.push_back(emit(instruction));
  }
  std::vector<Reg> results;
  for (uint16_t result : program.results) results.push_back(registers.at(result));
  return results;
}

PointwiseProgram PwBuilder::finish(std::vector<Reg> results) {
  program_.results = std::move(results);
  program_.verify();
  return program_;
}

}  // namespace planish
