// cpp.cc - a plugin in C++17: objects, exceptions that stay inside, a table that is made when it is loaded.
//
// Compiled on the day of ABI 1.0, beside everything.c, which has the rest of the ABI.
#include <gantry/plugin.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace
{

using Labels = std::vector<std::pair<std::string, std::string>>;

struct Failure : std::runtime_error {
    int code;
    Failure(int code_, const std::string &text) : std::runtime_error(text), code(code_)
    {
    }
};

template <typename T, typename F>
void
each(const T *array, uint32_t count, uint32_t stride, F f)
{
    for (uint32_t i = 0; i < count; i++)
        f(*GANTRY_AT(T, array, stride, i));
}

Labels
labels_of(const gantry_pair *pairs, uint32_t count, uint32_t stride)
{
    Labels labels;
    each(pairs, count, stride, [&](const gantry_pair &p) { labels.emplace_back(p.key, p.value); });
    return labels;
}

struct Workload {
    std::string handle, name, id, image;
    Labels labels;
    uint32_t state = GANTRY_STATE_CREATED;
    int64_t runs = 0;
    std::vector<std::string> notes;

    bool bears(const Labels &wanted) const
    {
        return std::all_of(wanted.begin(), wanted.end(), [&](const auto &label) {
            return std::find(labels.begin(), labels.end(), label) != labels.end();
        });
    }

    std::string label(const std::string &key) const
    {
        for (const auto &[k, v] : labels)
            if (k == key)
                return v;
        return "";
    }
};

class Plugin
{
  public:
    Plugin(const gantry_host *host_, const gantry_settings &settings) : host(host_)
    {
        if (const gantry_value *value = gantry_find_value(&settings, "capacity"))
            capacity = static_cast<std::size_t>(value->number);
        if (const gantry_value *value = gantry_find_value(&settings, "token"))
            token_size = std::string(value->text).size();
    }

    void probe(gantry_call *call)
    {
        const std::string detail = "capacity " + std::to_string(capacity) + ", token of " +
                                   std::to_string(token_size) + " bytes";
        gantry_traits traits{};
        traits.size = sizeof traits;
        traits.product = "C++";
        traits.version = host->version;
        traits.detail = detail.c_str();
        pass_on(gantry_emit_traits(host, call, &traits));
    }

    void start(gantry_call *call, const gantry_ref *existing, const gantry_spec *spec,
               uint32_t flags)
    {
        Workload *old = existing ? &at(existing->handle) : nullptr;
        Workload *w = spec ? &make(*spec, old != nullptr) : old;
        if (spec && old) {
            old->state = GANTRY_STATE_EXITED;
            old->notes.push_back("replaced by " + w->handle);
        }
        w->state = GANTRY_STATE_RUNNING;
        w->notes.push_back("run " + std::to_string(++w->runs) +
                           (flags & GANTRY_START_ONCE ? ", once" : ""));
        emit(call, *w);
    }

    void stop(const gantry_ref &ref, uint32_t grace_ms)
    {
        auto found = workloads.find(ref.handle);
        if (found == workloads.end() || found->second->state != GANTRY_STATE_RUNNING)
            return;
        found->second->state = GANTRY_STATE_EXITED;
        found->second->notes.push_back("stopped within " + std::to_string(grace_ms) + " ms");
    }

    void remove(const gantry_ref &ref)
    {
        auto found = workloads.find(ref.handle);
        if (found == workloads.end())
            return;
        const std::unique_ptr<Workload> gone = std::move(found->second);
        workloads.erase(found);
        for (auto &[handle, other] : workloads)
            if (other->id == gone->id)
                other->name = gone->name;
    }

    void logs(gantry_call *call, const gantry_ref &ref, const char *cursor,
              const gantry_log_limits &limits)
    {
        const Workload &w = at(ref.handle);
        std::size_t from = cursor ? std::stoul(cursor) : 0;
        if (limits.max_lines > 0 && w.notes.size() > from + limits.max_lines)
            from = w.notes.size() - limits.max_lines;
        for (std::size_t i = from; i < w.notes.size(); i++) {
            const std::string next = std::to_string(i + 1);
            gantry_line line{};
            line.size = sizeof line;
            line.stream = GANTRY_STREAM_STDOUT;
            line.text = w.notes[i].data();
            line.text_size = w.notes[i].size();
            line.cursor = next.c_str();
            pass_on(gantry_emit_line(host, call, &line));
        }
    }

    void inspect(gantry_call *call, const gantry_ref &ref)
    {
        emit(call, at(ref.handle));
    }

    void list(gantry_call *call, const Labels &wanted)
    {
        for (const auto &[handle, w] : workloads)
            if (w->bears(wanted))
                emit(call, *w);
    }

    const gantry_host *const host;
    std::mutex lock;

  private:
    static void pass_on(int code)
    {
        if (code != 0)
            throw Failure(code, "");
    }

    Workload &at(const char *handle)
    {
        auto found = workloads.find(handle);
        if (found == workloads.end())
            throw Failure(GANTRY_E_NOT_FOUND, std::string("there is no workload '") + handle + "'");
        return *found->second;
    }

    Workload &make(const gantry_spec &spec, bool replaces)
    {
        if (workloads.size() == capacity)
            throw Failure(GANTRY_E_UNAVAILABLE, "no room for '" + std::string(spec.name) + "'");
        auto w = std::make_unique<Workload>();
        w->handle = "c" + std::to_string(++made);
        w->name = spec.name;
        w->id = spec.id;
        w->image = spec.image;
        w->labels = labels_of(spec.labels, spec.label_count, spec.label_stride);
        for (const auto &[handle, other] : workloads)
            if (!replaces && other->name == w->name)
                throw Failure(other->label(GANTRY_LABEL_CONNECTOR) == w->id ? GANTRY_E_UNAVAILABLE
                                                                            : GANTRY_E_CONFLICT,
                              "the name '" + w->name + "' is taken");
        if (replaces)
            w->name += "-new-000" + std::to_string(made % 10);
        each(spec.environment, spec.environment_count, spec.environment_stride,
             [&](const gantry_variable &v) {
                 w->notes.push_back(v.secret ? std::string("secret ") + v.key
                                             : std::string("variable ") + v.key + "=" + v.value);
             });
        return *(workloads[w->handle] = std::move(w));
    }

    void emit(gantry_call *call, const Workload &w)
    {
        std::vector<gantry_pair> pairs;
        for (const auto &[key, value] : w.labels)
            pairs.push_back({key.c_str(), value.c_str()});
        const std::string hash = w.label(GANTRY_LABEL_HASH);
        gantry_status s{};
        s.size = sizeof s;
        s.present = GANTRY_STATUS_RESTARTS;
        s.handle = w.handle.c_str();
        s.name = w.name.c_str();
        s.hash = hash.c_str();
        s.image = w.image.c_str();
        s.labels = pairs.data();
        s.label_count = static_cast<uint32_t>(pairs.size());
        s.label_stride = sizeof pairs[0];
        s.state = w.state;
        s.restarts = w.runs - 1;
        pass_on(gantry_emit_status(host, call, &s));
    }

    std::map<std::string, std::unique_ptr<Workload>> workloads;
    std::size_t capacity = 0, token_size = 0;
    unsigned made = 0;
};

// No exception crosses the border.
template <typename F>
int
guard(const gantry_host *host, gantry_call *call, F f)
{
    try {
        f();
        return 0;
    } catch (const Failure &failure) {
        return failure.what()[0] ? gantry_fail(host, call, failure.code, "%s", failure.what())
                                 : failure.code;
    } catch (const std::bad_alloc &) {
        return GANTRY_E_NOMEM;
    } catch (const std::exception &other) {
        return gantry_fail(host, call, GANTRY_E_INTERNAL, "%s", other.what());
    }
}

template <typename F>
int
enter(void *self, gantry_call *call, F f)
{
    auto *plugin = static_cast<Plugin *>(self);
    const std::lock_guard<std::mutex> held(plugin->lock);
    return guard(plugin->host, call, [&] { f(*plugin); });
}

const gantry_setting *
settings_table()
{
    static gantry_setting table[2];
    for (auto &s : table) {
        s.size = sizeof s;
        s.scope = GANTRY_SCOPE_BACKEND;
    }
    table[0].type = GANTRY_TYPE_INTEGER;
    table[0].key = "capacity";
    table[0].fallback = "8";
    table[0].help = "So many workloads fit.";
    table[1].type = GANTRY_TYPE_SECRET;
    table[1].key = "token";
    table[1].help = "A secret.";
    return table;
}

const gantry_plugin cpp = [] {
    gantry_plugin p{};
    p.size = sizeof p;
    p.abi_major = GANTRY_ABI_MAJOR;
    p.abi_minor = GANTRY_ABI_MINOR;
    p.threads = GANTRY_THREADS_PARALLEL;
    p.name = "cpp";
    p.version = "1";
    p.summary = "a plugin in C++";
    p.settings = settings_table();
    p.setting_count = 2;
    p.setting_stride = sizeof(gantry_setting);
    p.open = [](gantry_call *call, const gantry_host *host, const gantry_settings *settings,
                void **self) {
        return guard(host, call, [&] { *self = new Plugin(host, *settings); });
    };
    p.close = [](void *self) { delete static_cast<Plugin *>(self); };
    p.probe = [](void *self, gantry_call *call) {
        return enter(self, call, [&](Plugin &plugin) { plugin.probe(call); });
    };
    p.start = [](void *self, gantry_call *call, const gantry_ref *existing, const gantry_spec *spec,
                 uint32_t flags) {
        return enter(self, call,
                     [&](Plugin &plugin) { plugin.start(call, existing, spec, flags); });
    };
    p.stop = [](void *self, gantry_call *call, const gantry_ref *ref, uint32_t grace_ms) {
        return enter(self, call, [&](Plugin &plugin) { plugin.stop(*ref, grace_ms); });
    };
    p.remove = [](void *self, gantry_call *call, const gantry_ref *ref) {
        return enter(self, call, [&](Plugin &plugin) { plugin.remove(*ref); });
    };
    p.logs = [](void *self, gantry_call *call, const gantry_ref *ref, const char *cursor,
                const gantry_log_limits *limits) {
        return enter(self, call, [&](Plugin &plugin) { plugin.logs(call, *ref, cursor, *limits); });
    };
    p.inspect = [](void *self, gantry_call *call, const gantry_ref *ref) {
        return enter(self, call, [&](Plugin &plugin) { plugin.inspect(call, *ref); });
    };
    p.list = [](void *self, gantry_call *call, const gantry_pair *labels, uint32_t count,
                uint32_t stride) {
        return enter(self, call,
                     [&](Plugin &plugin) { plugin.list(call, labels_of(labels, count, stride)); });
    };
    return p;
}();

} // namespace

GANTRY_PLUGIN(cpp)
