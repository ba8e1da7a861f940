#pragma once

#include <string_view>

/// Files that the build links into the program (see quadgate_embed in cmake/).
namespace quadgate::apps {

std::string_view embedded_chart_js();       ///< Chart.js, minified, with its licence notice
std::string_view embedded_chart_script();   ///< apps/common/chart_script.html
std::string_view embedded_forecast_page();  ///< apps/model/forecast_page.html
std::string_view embedded_scaling_page();   ///< apps/bench/scaling_page.html
std::string_view embedded_torch_step();     ///< apps/bench/torch_step.py

}  // namespace quadgate::apps
