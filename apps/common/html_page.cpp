#include "apps/common/html_page.h"

#include "apps/common/embedded.h"

namespace quadgate::apps {

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

// "<" is in strings only, where it may be written so that nothing looks like the end of the
// element.
std::string escape_json(std::string_view json) {
  std::string escaped;
  for (const char c : json) {
    c == '<' ? escaped += "\\u003c" : escaped += c;
  }
  return escaped;
}

std::string fill_page(std::string_view page, const std::map<std::string_view, std::string>& texts) {
  std::string filled;
  while (true) {
    const std::size_t open = page.find("{{");
    filled += page.substr(0, open);
    if (open == std::string_view::npos) {
      return filled;
    }
    const std::size_t close = page.find("}}", open);
    filled += texts.at(page.substr(open + 2, close - open - 2));
    page.remove_prefix(close + 2);
  }
}

std::string chart_script() {
  return fill_page(embedded_chart_script(), {{"chart_js", std::string(embedded_chart_js())}});
}

}  // namespace quadgate::apps
