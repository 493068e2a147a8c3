#include "pipeline/snapshot/rules_manifest.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/base/sha256.h"
#include "pipeline/snapshot/rules_shelf.h"

namespace caracal::pipeline {
namespace {

constexpr agents::StateDigest kBurst = {1, 2};
constexpr agents::StateDigest kFar = {3, 4};

RulesManifest Manifest(std::vector<agents::StateDigest> states, uint32_t buckets = 64) {
  RulesManifest manifest;
  manifest.topic = "bank.public.transactions";
  manifest.buckets = buckets;
  manifest.seed_fingerprint = 0xABC;
  manifest.rulesets = {{"9c1e4d20a7b3", "card-risk"}};
  for (const agents::StateDigest& state : states) manifest.states.push_back({state, "card-risk/x"});
  return manifest;
}

RulesRecord Record(RulesManifest manifest, std::vector<RulesetText> rulesets = {}) {
  return *MakeRulesRecord(std::move(manifest), std::move(rulesets));
}

/// The offset at which each state begins, in the order of the rules.
std::vector<int64_t> Starts(const StateHistory& history) {
  std::vector<int64_t> offsets;
  for (const StateStart& start : history.starts) offsets.push_back(start.offset);
  return offsets;
}

TEST(RulesManifestTest, ReadsBackWhatItWrites) {
  const std::string text = FormatRulesManifest(Manifest({kBurst, kFar}));
  EXPECT_EQ(text,
            "caracal rules 1\ntopic bank.public.transactions\nbuckets 64\n"
            "hash_seed 0000000000000abc\nruleset 9c1e4d20a7b3 card-risk\n"
            "state 00000000000000020000000000000001 card-risk/x\n"
            "state 00000000000000040000000000000003 card-risk/x\n");
  EXPECT_EQ(*ParseRulesManifest(text), Manifest({kBurst, kFar}));
  EXPECT_EQ(*ParseRulesManifest(text + "later x\n"), Manifest({kBurst, kFar}));
}

TEST(RulesManifestTest, TheOrderOfRulesDoesNotMatter) {
  EXPECT_EQ(Record(Manifest({kBurst, kFar})).hash, Record(Manifest({kFar, kBurst})).hash);
  EXPECT_NE(Record(Manifest({kBurst, kFar})).hash, Record(Manifest({kBurst})).hash);
}

TEST(RulesManifestTest, RefusesWhatIsNotOurs) {
  for (const char* text :
       {"", "caracal rules 2\nbuckets 1\n", "caracal rules 1\n", "caracal rules 1\nbuckets x\n",
        "caracal rules 1\nbuckets 1\nstate 12 a/b\n"}) {
    EXPECT_FALSE(ParseRulesManifest(text).ok()) << text;
  }
}

TEST(RulesManifestTest, ATextThatNoRecordHoldsIsRefused) {
  EXPECT_FALSE(MakeRulesRecord(Manifest({}), {{"9c1e4d20a7b3", std::string(2'000'000, 'x')}}).ok());
}

TEST(StateHistoryTest, StatesThatBothRulesKnowGoOn) {
  const RulesRecord before = Record(Manifest({kBurst}));
  const RulesRecord now = Record(Manifest({kBurst, kFar}));
  const StateHistory history =
      FollowStates({{5, before.hash}, {100, now.hash}}, {{before.hash, before.manifest}}, now);
  EXPECT_EQ(history.base, 5);
  EXPECT_EQ(Starts(history), (std::vector<int64_t>{5, 100}));
  EXPECT_TRUE(history.unknown.empty());
}

TEST(StateHistoryTest, AStateThatWasAwayBeginsAgain) {
  const RulesRecord both = Record(Manifest({kBurst, kFar}));
  const RulesRecord one = Record(Manifest({kBurst}));
  const StateHistory history =
      FollowStates({{5, both.hash}, {100, one.hash}, {200, both.hash}},
                   {{one.hash, one.manifest}, {both.hash, both.manifest}}, both);
  EXPECT_EQ(history.base, 5);
  EXPECT_EQ(Starts(history), (std::vector<int64_t>{5, 200}));
}

TEST(StateHistoryTest, UnknownRulesEndEveryRun) {
  const RulesRecord now = Record(Manifest({kBurst}));
  const StateHistory history =
      FollowStates({{5, now.hash}, {100, "gone"}, {200, now.hash}}, {}, now);
  EXPECT_EQ(history.base, 200);
  EXPECT_EQ(Starts(history), (std::vector<int64_t>{200}));
  EXPECT_EQ(history.unknown, (std::vector<std::string>{"gone"}));
}

TEST(StateHistoryTest, AnotherNumberOfBucketsStartsStateAnew) {
  const RulesRecord before = Record(Manifest({kBurst}, 32));
  const RulesRecord now = Record(Manifest({kBurst}, 64));
  const StateHistory history =
      FollowStates({{5, before.hash}, {100, now.hash}}, {{before.hash, before.manifest}}, now);
  EXPECT_EQ(history.base, 100);
  EXPECT_EQ(Starts(history), (std::vector<int64_t>{100}));
  EXPECT_EQ(history.scheme_change, "state.buckets (32 before, 64 now)");
}

TEST(RulesShelfTest, WhatIsThereIsNotWrittenAgain) {
  const std::string text = R"({"name":"card-risk"})";
  const RulesRecord rules = Record(Manifest({kBurst}), {{Sha256Hex(text, 12), text}});
  RulesShelf shelf;
  const std::vector<StateWrite> missing = shelf.Missing(rules);
  ASSERT_EQ(missing.size(), 2U);
  EXPECT_EQ(missing[0].key, "ruleset/1/" + Sha256Hex(text, 12));
  EXPECT_EQ(missing[1].key, "rules/1/" + rules.hash) << "the manifest names texts that are there";

  for (const StateWrite& write : missing) shelf.Add(ParseStateKey(write.key), *write.value);
  EXPECT_TRUE(shelf.Missing(rules).empty());
  EXPECT_EQ(shelf.manifests().at(rules.hash), rules.manifest);

  shelf.Add(ParseStateKey(missing[0].key), {});
  EXPECT_EQ(shelf.Missing(rules).size(), 1U) << "a tombstone takes it away";
  shelf.Note(rules);
  EXPECT_TRUE(shelf.Missing(rules).empty());
}

TEST(RulesShelfTest, WhatDoesNotMatchItsHashIsPassedOver) {
  const RulesRecord rules = Record(Manifest({kBurst}));
  RulesShelf shelf;
  shelf.Add(ParseStateKey(FormatRulesKey(rules.hash)), rules.text + "state");
  shelf.Add(ParseStateKey(FormatRulesKey("short")), rules.text);
  EXPECT_TRUE(shelf.manifests().empty());
}

}  // namespace
}  // namespace caracal::pipeline
