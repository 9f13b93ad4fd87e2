// Calibrators that Python implements: batches as addresses of device memory, the cache as bytes.
#include "python/tensorrt/bindings.h"

namespace planish_python {
namespace {

// A calibration cannot go on without an answer, or with part of the batches: the library reports the exception, and
// ends.
template <typename F>
auto demanded(char const* where, F&& call) -> decltype(call()) {
  py::gil_scoped_acquire gil;
  std::string why;
  try {
    return call();
  } catch (py::error_already_set& error) {
    why = error.what();
    error.discard_as_unraisable(where);
  } catch (std::exception const& error) {
    why = error.what();
  }
  throw std::runtime_error(std::string(where) + ": " + why.substr(0, why.find('\n')));
}

template <typename Base>
class PyCalibrator : public Base {
 public:
  APILanguage getAPILanguage() const override { return APILanguage::kPYTHON; }
  int32_t getBatchSize() const override {
    return demanded("IInt8Calibrator.get_batch_size",
                    [&] { return method<Base>(this, "get_batch_size")().template cast<int32_t>(); });
  }
  bool getBatch(void* bindings[], char const* names[], int32_t count) override {
    return demanded("IInt8Calibrator.get_batch", [&] {
      py::function call = method<Base>(this, "get_batch");
      std::vector<std::string> const given(names, names + count);
      py::object const result = call(given);
      if (result.is_none()) return false;
      py::list const addresses(result);
      if (static_cast<int32_t>(addresses.size()) != count)
        throw py::value_error("get_batch gave " + std::to_string(addresses.size()) + " addresses for " +
                              std::to_string(count) + " inputs");
      for (int32_t i = 0; i < count; ++i)
        bindings[i] = pointer(py::int_(addresses[static_cast<size_t>(i)]).cast<Address>());
      return count > 0;
    });
  }
  void const* readCalibrationCache(size_t& length) override {
    length = 0;
    return demanded("IInt8Calibrator.read_calibration_cache", [&]() -> void const* {
      py::object result = method<Base>(this, "read_calibration_cache")();
      if (result.is_none()) return nullptr;
      py::buffer_info const info = py::buffer(result).request();
      cache_.assign(static_cast<char const*>(info.ptr), static_cast<size_t>(info.size * info.itemsize));
      length = cache_.size();
      return length ? cache_.data() : nullptr;
    });
  }
  void writeCalibrationCache(void const* data, size_t length) override {
    told("IInt8Calibrator.write_calibration_cache", [&] {
      method<Base>(this, "write_calibration_cache")(py::memoryview(py::bytes(static_cast<char const*>(data), length)));
    });
  }

 private:
  std::string cache_;
};

class PyAnyCalibrator : public PyCalibrator<IInt8Calibrator> {
 public:
  CalibrationAlgoType getAlgorithm() override {
    return demanded("IInt8Calibrator.get_algorithm",
                    [&] { return method<IInt8Calibrator>(this, "get_algorithm")().cast<CalibrationAlgoType>(); });
  }
};

class PyLegacyCalibrator : public PyCalibrator<IInt8LegacyCalibrator> {
 public:
  double getQuantile() const override { return number("get_quantile", 0.9999); }
  double getRegressionCutoff() const override { return number("get_regression_cutoff", 1.0); }
  void const* readHistogramCache(size_t& length) override {
    length = 0;
    return nullptr;
  }
  void writeHistogramCache(void const*, size_t) override {}

 private:
  double number(char const* name, double otherwise) const {
    return answered(otherwise, name, [&] {
      py::function call = py::get_override(static_cast<IInt8LegacyCalibrator const*>(this), name);
      return call ? call().cast<double>() : otherwise;
    });
  }
};

template <typename T, typename Trampoline>
void bind_calibrator(py::module_& m, char const* name) {
  py::class_<T, IInt8Calibrator, Trampoline>(m, name).def(py::init<>()).def("get_algorithm", [](T& c) {
    return c.T::getAlgorithm();
  });
}

}  // namespace

void bind_calibrators(py::module_& m) {
  py::enum_<CalibrationAlgoType>(m, "CalibrationAlgoType")
      .value("LEGACY_CALIBRATION", CalibrationAlgoType::kLEGACY_CALIBRATION)
      .value("ENTROPY_CALIBRATION", CalibrationAlgoType::kENTROPY_CALIBRATION)
      .value("ENTROPY_CALIBRATION_2", CalibrationAlgoType::kENTROPY_CALIBRATION_2)
      .value("MINMAX_CALIBRATION", CalibrationAlgoType::kMINMAX_CALIBRATION);
  py::class_<IInt8Calibrator, PyAnyCalibrator>(m, "IInt8Calibrator").def(py::init<>());
  bind_calibrator<IInt8LegacyCalibrator, PyLegacyCalibrator>(m, "IInt8LegacyCalibrator");
  bind_calibrator<IInt8EntropyCalibrator, PyCalibrator<IInt8EntropyCalibrator>>(m, "IInt8EntropyCalibrator");
  bind_calibrator<IInt8EntropyCalibrator2, PyCalibrator<IInt8EntropyCalibrator2>>(m, "IInt8EntropyCalibrator2");
  bind_calibrator<IInt8MinMaxCalibrator, PyCalibrator<IInt8MinMaxCalibrator>>(m, "IInt8MinMaxCalibrator");
}

}  // namespace planish_python
