// Sweeps: forms and lemmas of several scripts with the script that one reads off by hand, what is
// no such script, and all pairs of some words, whose script gives the lemma back. Tolerance: none.
// tests/torch/conllu_test.py compares small letters with Python's.

#include "io/importers/lemma_script.h"

#include <gtest/gtest.h>

#include <string>

namespace quadgate {
namespace {

TEST(LemmaScriptTest, IsShort) {
  EXPECT_EQ(lemma_script("dog", "dog"), "-0+");
  EXPECT_EQ(lemma_script("studies", "study"), "-3+y");
  EXPECT_EQ(lemma_script("The", "the"), "lower-0+");
  EXPECT_EQ(lemma_script("Running", "run"), "lower-4+");
  EXPECT_EQ(lemma_script("Mary", "Mary"), "-0+");
  EXPECT_EQ(lemma_script("was", "be"), "-3+be");
  EXPECT_EQ(lemma_script("Été", "été"), "lower-0+");
  EXPECT_EQ(lemma_script("Книги", "книга"), "lower-1+а");
  EXPECT_EQ(lemma_script("們", "們"), "-0+");
  EXPECT_EQ(lemma_script("c", "C++"), "-1+C++");
}

TEST(LemmaScriptTest, GivesTheLemmaBack) {
  const std::string words[] = {"dog", "Dogs", "DOGS",     "é", "ÉTÉ", "e\u0301", "𠮷🌳", "ß",
                               "İ",   "-3+y", "lower-1+", "+", "_",   "Σίσυφος", "ՀԱՅ"};
  for (const std::string& form : words) {
    for (const std::string& lemma : words) {
      EXPECT_EQ(apply_lemma_script(lemma_script(form, lemma), form), lemma) << form;
    }
  }
}

TEST(LemmaScriptTest, ScriptsThatDoNotFitLeaveTheForm) {
  EXPECT_EQ(apply_lemma_script("-3+y", "flies"), "fly");
  EXPECT_EQ(apply_lemma_script("-4+y", "fly"), "fly");
  for (const char* const none :
       {"", "-", "-3", "+", "3+y", "-+y", "lower", "NOUN", "-99999999999999999999+"}) {
    EXPECT_EQ(apply_lemma_script(none, "Flies"), "Flies") << none;
  }
}

}  // namespace
}  // namespace quadgate
