#include "apps/common/embedded.h"

// Named by the linker, after the files.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {
extern const char _binary_chart_min_js_start[];
extern const char _binary_chart_min_js_end[];
extern const char _binary_chart_script_html_start[];
extern const char _binary_chart_script_html_end[];
extern const char _binary_forecast_page_html_start[];
extern const char _binary_forecast_page_html_end[];
extern const char _binary_scaling_page_html_start[];
extern const char _binary_scaling_page_html_end[];
extern const char _binary_torch_step_py_start[];
extern const char _binary_torch_step_py_end[];
}
// NOLINTEND(readability-identifier-naming)

namespace quadgate::apps {

std::string_view embedded_chart_js() {
  return {_binary_chart_min_js_start, _binary_chart_min_js_end};
}

std::string_view embedded_chart_script() {
  return {_binary_chart_script_html_start, _binary_chart_script_html_end};
}

std::string_view embedded_forecast_page() {
  return {_binary_forecast_page_html_start, _binary_forecast_page_html_end};
}

std::string_view embedded_scaling_page() {
  return {_binary_scaling_page_html_start, _binary_scaling_page_html_end};
}

std::string_view embedded_torch_step() {
  return {_binary_torch_step_py_start, _binary_torch_step_py_end};
}

}  // namespace quadgate::apps
