#pragma once

#include <map>
#include <string>
#include <string_view>

/// What pages of HTML have in common, each of them one file that needs no other and no network.
namespace quadgate::apps {

/// Text as the content of an element or attribute.
std::string escape_html(std::string_view text);
/// JSON as the content of a script element.
std::string escape_json(std::string_view json);
/// `page` with every {{name}} replaced by its text.
std::string fill_page(std::string_view page, const std::map<std::string_view, std::string>& texts);
/// The script element with Chart.js, its licence in front.
std::string chart_script();

}  // namespace quadgate::apps
