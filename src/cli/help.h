#pragma once
// How --help is laid out: lines of at most 100 columns, what a flag takes beside it, its default behind the text.

#include <memory>

namespace CLI {
class FormatterBase;
}

namespace planish::cli {

std::shared_ptr<CLI::FormatterBase> help_formatter();

}  // namespace planish::cli
