#include "server/class_accuracy.h"

#include <algorithm>
#include <numeric>

#include "scenarios/width.h"
#include "server/grid_points.h"

namespace anybit {
namespace {

constexpr std::uint64_t kLookedThrough = 100;  // clients for each one that is wanted of a class

GridPoint class_point(const Federation& federation, const EvaluationGrid& grid, int weights, int activations) {
  GridPoint point{weights, activations, grid.range.front(), grid.granularity.front(), grid.first, grid.last, {}};
  if (!point_mismatch(federation.training, point).empty()) point.range = "minmax";
  if (is_trained(point)) point.granularity = kTrainedRange;
  return point;
}

}  // namespace

std::vector<GridPoint> class_points(const Federation& federation, const EvaluationGrid& grid) {
  const bool quantizes = std::ranges::any_of(grid.activations, [](int width) { return width != kFloatWidth; });
  std::vector<GridPoint> points;
  for (const int width : class_widths(federation.fleet)) {
    points.push_back(class_point(federation, grid, width, kFloatWidth));
    if (quantizes && width != kFloatWidth) points.push_back(class_point(federation, grid, width, width));
  }
  return points;
}

namespace {

/// Who is asked: of each class its clients on their own examples, and on unseen ones; where nobody has any, of all
/// classes the test examples of each label.
class ClassQuestions {
 public:
  ClassQuestions(const Federation& federation, const EvaluationGrid& grid)
      : federation_(federation),
        data_(*federation.data),
        clients_(clients_by_class(federation.fleet, data_.clients, federation.scenario.evaluate.class_clients)) {
    questions_.points = class_points(federation, grid);
    ExamplePool scratch;
    draws_ = data_.unseen(0, scratch).size() > 0;
    for (std::size_t one = 0; one < clients_.size(); ++one) ask_clients(one);
    if (!draws_) ask_labels();
    questions_.examples = [this](std::size_t holder, ExamplePool& pool) { return examples_of(holders_[holder], pool); };
  }
  ClassQuestions(const ClassQuestions&) = delete;
  ClassQuestions& operator=(const ClassQuestions&) = delete;

  const Questions& questions() const { return questions_; }
  std::vector<ClassAccuracy> results(const Answers& answers) const;

 private:
  enum class Kind : std::uint8_t { kOwn, kUnseen, kLabel };
  struct Holder {
    Kind kind;
    std::size_t one;  // index of the class; of a label: the label
    std::uint32_t client = 0;
  };

  /// Indices of the points at which the class is tested.
  std::vector<std::size_t> points_of(std::size_t one) const;
  void ask_clients(std::size_t one);
  void ask_labels();
  ExamplesView examples_of(const Holder& holder, ExamplePool& scratch) const;

  /// Right answers of the class's clients on the examples of a kind, at a point.
  std::int64_t correct(const Answers& answers, Kind kind, std::size_t one, std::size_t point) const;
  std::int64_t examples_of_class(std::size_t one) const;
  std::optional<double> by_label(const Answers& answers, std::size_t one, std::size_t point) const;

  const Federation& federation_;
  const FederatedData& data_;
  const std::vector<std::vector<std::uint32_t>> clients_;  // by class
  bool draws_ = false;                                     // unseen examples
  Questions questions_;
  std::vector<Holder> holders_;
  std::vector<std::vector<std::uint32_t>> test_;   // by label: indices of the test examples
  std::vector<std::vector<std::int64_t>> labels_;  // by class and label: examples of its clients
};

std::vector<std::size_t> ClassQuestions::points_of(std::size_t one) const {
  std::vector<std::size_t> points;
  for (const int width : federation_.fleet.classes()[one].widths)
    for (std::size_t point = 0; point < questions_.points.size(); ++point)
      if (questions_.points[point].weights == width) points.push_back(point);
  return points;
}

void ClassQuestions::ask_clients(std::size_t one) {
  const auto ask = [&](Kind kind) {
    for (const std::uint32_t client : clients_[one]) holders_.push_back({kind, one, client});
    questions_.asked.insert(questions_.asked.end(), clients_[one].size(), points_of(one));
  };
  ask(Kind::kOwn);
  if (draws_) ask(Kind::kUnseen);
}

void ClassQuestions::ask_labels() {
  const auto labels = static_cast<std::size_t>(data_.classes);
  test_.resize(labels);
  for (const std::uint32_t index : data_.test.indices) test_[data_.test.labels[index]].push_back(index);
  labels_.assign(clients_.size(), std::vector<std::int64_t>(labels, 0));
  ExamplePool scratch;
  for (std::size_t one = 0; one < clients_.size(); ++one)
    for (const std::uint32_t client : clients_[one]) {
      const ExamplesView examples = data_.client(client, scratch);
      for (const std::uint32_t index : examples.indices) ++labels_[one][examples.labels[index]];
    }
  std::vector<std::size_t> all(questions_.points.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  for (std::size_t label = 0; label < labels; ++label) holders_.push_back({Kind::kLabel, label});
  questions_.asked.insert(questions_.asked.end(), labels, all);
}

ExamplesView ClassQuestions::examples_of(const Holder& holder, ExamplePool& scratch) const {
  if (holder.kind == Kind::kOwn) return data_.client(holder.client, scratch);
  if (holder.kind == Kind::kUnseen) return data_.unseen(holder.client, scratch);
  return {data_.test.shape, data_.test.pixels, data_.test.labels, test_[holder.one]};
}

std::int64_t ClassQuestions::correct(const Answers& answers, Kind kind, std::size_t one, std::size_t point) const {
  std::int64_t sum = 0;
  for (std::size_t holder = 0; holder < holders_.size(); ++holder) {
    if (holders_[holder].kind != kind || holders_[holder].one != one) continue;
    const std::vector<std::size_t>& asked = questions_.asked[holder];
    const auto at = std::ranges::find(asked, point) - asked.begin();
    sum += answers[holder][static_cast<std::size_t>(at)];
  }
  return sum;
}

std::int64_t ClassQuestions::examples_of_class(std::size_t one) const {
  std::int64_t sum = 0;
  for (const std::uint32_t client : clients_[one]) sum += data_.examples(client);
  return sum;
}

std::optional<double> ClassQuestions::by_label(const Answers& answers, std::size_t one, std::size_t point) const {
  double sum = 0;
  std::int64_t examples = 0;
  for (std::size_t label = 0; label < test_.size(); ++label) {
    if (test_[label].empty() || labels_[one][label] == 0) continue;
    sum += static_cast<double>(labels_[one][label] * correct(answers, Kind::kLabel, label, point)) /
           static_cast<double>(test_[label].size());
    examples += labels_[one][label];
  }
  return examples > 0 ? std::optional(sum / static_cast<double>(examples)) : std::nullopt;
}

std::vector<ClassAccuracy> ClassQuestions::results(const Answers& answers) const {
  std::vector<ClassAccuracy> results;
  for (std::size_t one = 0; one < clients_.size(); ++one) {
    const FleetClass& device = federation_.fleet.classes()[one];
    const auto examples = static_cast<double>(examples_of_class(one));
    const auto fraction = [&](Kind kind, std::size_t point) -> std::optional<double> {
      if (examples == 0) return std::nullopt;
      return static_cast<double>(correct(answers, kind, one, point)) / examples;
    };
    for (const std::size_t point : points_of(one))
      results.push_back({device.name, device.share, static_cast<std::uint32_t>(clients_[one].size()),
                         questions_.points[point].weights, questions_.points[point].activations,
                         fraction(Kind::kOwn, point),
                         draws_ ? fraction(Kind::kUnseen, point) : by_label(answers, one, point)});
  }
  return results;
}

}  // namespace

std::vector<std::vector<std::uint32_t>> clients_by_class(const Fleet& fleet, std::uint32_t clients,
                                                         std::uint32_t most) {
  std::vector<std::vector<std::uint32_t>> found(fleet.classes().size());
  const std::uint64_t scanned = found.empty() ? 0 : std::min<std::uint64_t>(clients, kLookedThrough * most);
  std::size_t full = 0;
  for (std::uint32_t client = 0; client < scanned && full < found.size(); ++client) {
    std::vector<std::uint32_t>& of_class = found[static_cast<std::size_t>(fleet.class_of(client))];
    if (of_class.size() == most) continue;
    of_class.push_back(client);
    if (of_class.size() == most) ++full;
  }
  return found;
}

std::vector<int> class_widths(const Fleet& fleet) {
  std::vector<int> widths;
  for (const FleetClass& one : fleet.classes())
    for (const int width : one.widths)
      if (std::ranges::find(widths, width) == widths.end()) widths.push_back(width);
  return widths;
}

std::optional<std::vector<ClassAccuracy>> evaluate_classes(Evaluator& evaluator, const Parameters& parameters,
                                                           const Federation& federation, const EvaluationGrid& grid,
                                                           const Evaluator::StopSignal& stop) {
  if (federation.fleet.classes().empty() || federation.scenario.evaluate.class_clients == 0)
    return std::vector<ClassAccuracy>();
  const ClassQuestions questions(federation, grid);
  const std::optional<Answers> answers = evaluator.count(parameters, questions.questions(), grid, stop);
  if (!answers) return std::nullopt;
  return questions.results(*answers);
}

}  // namespace anybit
