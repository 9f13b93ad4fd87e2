#pragma once
// Protobuf's text format, for the messages of the schema:
//   message := { field separator? };  separator := ',' | ';'
//   field   := name ':' scalar | name ':' '[' scalar, … ']' | name ':'? ( '{' message '}' | '<' message '>' | '[' … ']'
//   ) scalar  := string string … | '-'? number | word
// Comments run from # to the end of the line.

#include <string_view>

#include "importers/caffe/text/message.h"

namespace planish::caffe::text {

// Error(invalid_model) "line:column: …" for unknown fields (with the nearest name), values of another type, fields that
// are given twice, and whatever else is not of the format.
Message parse(std::string_view text, const MessageType& type);

}  // namespace planish::caffe::text
