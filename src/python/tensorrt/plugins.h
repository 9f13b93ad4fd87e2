// Plugins: their fields as Python has them, and those that Python implements.
#ifndef PLANISH_PYTHON_PLUGINS_H
#define PLANISH_PYTHON_PLUGINS_H

#include <string>
#include <vector>

#include "python/tensorrt/bindings.h"

namespace planish_python {

// A named list of values, with the array that they lie in.
class Field {
 public:
  Field(std::string const& name, py::object const& data, PluginFieldType type);
  explicit Field(PluginField const& field);
  py::array values() const { return data_; }
  void set_values(py::object const& data);
  int32_t length() const;
  PluginField view() const;  // as long as this lives

  std::string name;
  PluginFieldType type;

 private:
  py::array data_;
};

struct Fields {
  static Fields copied(PluginFieldCollection const* given);
  // What creators take.
  struct Table {
    explicit Table(Fields const& fields) {
      for (Field const& field : fields.rows) rows.push_back(field.view());
      collection.nbFields = static_cast<int32_t>(rows.size());
      collection.fields = rows.data();
    }
    Table(Table const&) = delete;
    std::vector<PluginField> rows;
    PluginFieldCollection collection{};
  };
  std::vector<Field> rows;
};

// What a class of Python says by attributes: name (or type), version, namespace, fields.
struct Labels {
  std::string texts[3] = {"", "1", ""};
  Fields fields;
  std::unique_ptr<Fields::Table> table;
  PluginFieldCollection const* collection() {
    table = std::make_unique<Fields::Table>(fields);
    return &table->collection;
  }
};

// Creators that Python implements.
class PyCreator : public IPluginCreator, public Labels {
 public:
  APILanguage getAPILanguage() const override { return APILanguage::kPYTHON; }
  AsciiChar const* getPluginName() const override { return texts[0].c_str(); }
  AsciiChar const* getPluginVersion() const override { return texts[1].c_str(); }
  AsciiChar const* getPluginNamespace() const override { return texts[2].c_str(); }
  void setPluginNamespace(AsciiChar const* space) override { texts[2] = space ? space : ""; }
  PluginFieldCollection const* getFieldNames() override { return collection(); }
  IPluginV2* createPlugin(AsciiChar const* name, PluginFieldCollection const* fields) override;
  IPluginV2* deserializePlugin(AsciiChar const* name, void const* data, size_t length) override;
};

class PyCreatorV3 : public IPluginCreatorV3One, public Labels {
 public:
  APILanguage getAPILanguage() const override { return APILanguage::kPYTHON; }
  AsciiChar const* getPluginName() const override { return texts[0].c_str(); }
  AsciiChar const* getPluginVersion() const override { return texts[1].c_str(); }
  AsciiChar const* getPluginNamespace() const override { return texts[2].c_str(); }
  PluginFieldCollection const* getFieldNames() override { return collection(); }
  IPluginV3* createPlugin(AsciiChar const* name, PluginFieldCollection const* fields, TensorRTPhase phase) override;
};

// Sets text `which` of an object that Python implements; AttributeError for others.
template <typename T, int which>
void set_python_attribute(T& object, std::string const& text) {
  auto* labels = dynamic_cast<Labels*>(&object);
  if (!labels) throw py::attribute_error("this object is not implemented in Python: it cannot be named");
  labels->texts[which] = text;
}

template <typename T>
void set_field_names(T& object, Fields const& fields) {
  auto* labels = dynamic_cast<Labels*>(&object);
  if (!labels) throw py::attribute_error("this object is not implemented in Python: it has its fields");
  labels->fields = fields;
}

}  // namespace planish_python

#endif
