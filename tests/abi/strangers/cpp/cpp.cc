// cpp.cc - a runtime in C++17: workloads are entries in a map; each writes down what happens to it as its log.
//
//   c++ -std=c++17 -shared -fPIC -fvisibility=hidden -I include -o gantry-cpp.so cpp.cc
#include "gantry.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include <sys/eventfd.h>
#include <unistd.h>

namespace strangers
{
namespace
{

using Clock = std::chrono::system_clock;
using Lock = std::lock_guard<std::mutex>;

std::int64_t now_ms()
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch())
        .count();
}

// A line of the log.  The number never repeats within a workload, and is the cursor.
struct Line {
    std::uint64_t number;
    std::int64_t time_ns;
    std::string text;
};

struct Workload {
    static constexpr std::size_t max_lines = 100;

    std::string handle, name, id, image, hash;
    Pairs labels;
    gantry_state state = GANTRY_STATE_CREATED;
    std::int64_t created_ms = now_ms(), started_ms = 0, finished_ms = 0;
    std::uint64_t next_line = 1;
    std::deque<Line> lines;

    bool bears(const Pairs &wanted) const
    {
        return std::all_of(wanted.begin(), wanted.end(), [&](const auto &label) {
            return std::find(labels.begin(), labels.end(), label) != labels.end();
        });
    }

    std::string label(const char *key) const
    {
        for (const auto &[k, value] : labels)
            if (k == key)
                return value;
        return {};
    }

    bool same_owner(const Workload &other) const
    {
        static const char *const keys[] = {GANTRY_LABEL_MANAGER, GANTRY_LABEL_PLATFORM, GANTRY_LABEL_CONNECTOR};
        return std::all_of(std::begin(keys), std::end(keys),
                           [&](const char *key) { return label(key) == other.label(key); });
    }

    void say(const std::string &text)
    {
        auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch());
        lines.push_back({next_line++, time.count(), text});
        if (lines.size() > max_lines)
            lines.pop_front();
    }

    void start()
    {
        if (state == GANTRY_STATE_RUNNING)
            return;
        state = GANTRY_STATE_RUNNING;
        started_ms = now_ms();
        say("started");
    }

    void stop()
    {
        if (state != GANTRY_STATE_RUNNING)
            return;
        state = GANTRY_STATE_EXITED;
        finished_ms = now_ms();
        say("stopped");
    }

    void emit(const Call &call) const
    {
        std::vector<gantry_pair> raw;
        for (const auto &[key, value] : labels)
            raw.push_back({key.c_str(), value.c_str()});
        gantry_status status{};
        status.size = sizeof status;
        status.present = GANTRY_STATUS_CREATED;
        if (started_ms)
            status.present |= GANTRY_STATUS_STARTED;
        if (finished_ms)
            status.present |= GANTRY_STATUS_FINISHED | GANTRY_STATUS_EXIT_CODE;
        status.handle = handle.c_str();
        status.name = name.c_str();
        status.hash = hash.empty() ? nullptr : hash.c_str();
        status.image = image.c_str();
        status.labels = raw.data();
        status.label_count = static_cast<std::uint32_t>(raw.size());
        status.label_stride = sizeof raw[0];
        status.state = state;
        status.created_ms = created_ms;
        status.started_ms = started_ms;
        status.finished_ms = finished_ms;
        call.emit(status);
    }
};

// Somebody who watches: what has changed since he last looked, and a descriptor that says so.
class Watcher
{
public:
    explicit Watcher(Pairs labels) : labels_(std::move(labels)), fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
    {
        if (fd_ < 0)
            throw Failure(GANTRY_E_UNAVAILABLE, "there is no free descriptor for a watch");
    }
    ~Watcher()
    {
        ::close(fd_);
    }
    Watcher(const Watcher &) = delete;
    Watcher &operator=(const Watcher &) = delete;

    int fd() const
    {
        return fd_;
    }
    void tell(const Workload &workload)
    {
        if (!workload.bears(labels_))
            return;
        changed_[workload.handle] = workload.id;
        eventfd_write(fd_, 1);
    }
    std::map<std::string, std::string> take()
    {
        eventfd_t ignored;
        eventfd_read(fd_, &ignored);
        return std::exchange(changed_, {});
    }

private:
    Pairs labels_;
    int fd_;
    std::map<std::string, std::string> changed_; // id by handle
};

class Backend
{
public:
    Backend(const gantry_host *host, const gantry_settings *settings) : host_(host)
    {
        if (const gantry_value *value = gantry_find_value(settings, "offline"))
            offline_ = value->number != 0;
        if (const gantry_value *value = gantry_find_value(settings, "images"))
            for (std::uint32_t i = 0; i < value->item_count; i++)
                images_.insert(value->items[i]);
    }

    const gantry_host *host() const
    {
        return host_;
    }

    void start(const Call &call, const gantry_ref *existing, const gantry_spec *spec, std::uint32_t)
    {
        Workload result;
        {
            reach();
            Lock lock(mutex_);
            call.check();
            Workload *old = existing ? &get(existing) : nullptr;
            result = spec ? replace(old, *spec) : again(*old);
        }
        result.emit(call);
    }

    void stop(const Call &, const gantry_ref *ref, std::uint32_t)
    {
        reach();
        Lock lock(mutex_);
        if (auto found = workloads_.find(ref->handle); found != workloads_.end()) {
            found->second.stop();
            tell(found->second);
        }
    }

    void remove(const Call &, const gantry_ref *ref)
    {
        reach();
        Lock lock(mutex_);
        auto found = workloads_.find(ref->handle);
        if (found == workloads_.end())
            return;
        const Workload gone = std::move(found->second);
        workloads_.erase(found);
        tell(gone);
        for (auto &[handle, heir] : workloads_)
            if (heir.same_owner(gone) && inherit(heir))
                break;
    }

    void logs(const Call &call, const gantry_ref *ref, const char *cursor, const gantry_log_limits *limits)
    {
        std::deque<Line> lines;
        {
            reach();
            Lock lock(mutex_);
            lines = get(ref).lines;
        }
        std::uint64_t seen = cursor ? std::strtoull(cursor, nullptr, 10) : 0;
        while (!lines.empty() && lines.front().number <= seen)
            lines.pop_front();
        emit_last(call, lines, *limits);
    }

    void inspect(const Call &call, const gantry_ref *ref)
    {
        reach();
        Workload found;
        {
            Lock lock(mutex_);
            found = get(ref);
        }
        found.emit(call);
    }

    void list(const Call &call, const gantry_pair *labels, std::uint32_t count, std::uint32_t stride)
    {
        reach();
        const Pairs wanted = pairs(labels, count, stride);
        std::vector<Workload> found;
        {
            Lock lock(mutex_);
            for (const auto &[handle, workload] : workloads_)
                if (workload.bears(wanted))
                    found.push_back(workload);
        }
        for (const Workload &workload : found)
            workload.emit(call);
    }

    void watch(const Call &call, const gantry_pair *labels, std::uint32_t count, std::uint32_t stride)
    {
        reach();
        auto watcher = std::make_shared<Watcher>(pairs(labels, count, stride));
        {
            Lock lock(mutex_);
            watchers_.push_back(watcher); // weak: an exception below ends it
        }
        gantry_event event{};
        event.size = sizeof event;
        event.kind = GANTRY_EVENT_SYNCED;
        call.emit(event);
        for (;;) {
            call.wait(watcher->fd());
            for (const auto &[handle, id] : take(*watcher)) {
                event.kind = GANTRY_EVENT_CHANGED;
                event.handle = handle.c_str();
                event.id = id.c_str();
                call.emit(event);
            }
        }
    }

    void probe(const Call &call)
    {
        reach();
        gantry_traits traits{};
        traits.size = sizeof traits;
        traits.product = "a map in memory";
        traits.version = "1";
        call.emit(traits);
    }

private:
    void reach() const
    {
        if (offline_)
            throw Failure(GANTRY_E_UNAVAILABLE, "the map is out of reach: the setting offline says so");
    }

    Workload &get(const gantry_ref *ref)
    {
        auto found = workloads_.find(ref->handle);
        if (found == workloads_.end())
            throw Failure(GANTRY_E_NOT_FOUND, "there is no workload '" + std::string(ref->handle) + "'");
        return found->second;
    }

    const Workload *named(const std::string &name) const
    {
        for (const auto &[handle, workload] : workloads_)
            if (workload.name == name)
                return &workload;
        return nullptr;
    }

    Workload again(Workload &workload)
    {
        workload.start();
        tell(workload);
        return workload;
    }

    // The two forms of start with a spec: nothing is touched before the last thing that can fail.
    Workload replace(Workload *old, const gantry_spec &spec)
    {
        if (!images_.empty() && images_.count(spec.image) == 0)
            throw Failure(GANTRY_E_IMAGE_MISSING,
                          "image '" + std::string(spec.image) + "' is not in the setting images");
        Workload fresh = make(spec);
        if (const Workload *holder = named(fresh.name); holder != nullptr && holder != old) {
            if (!holder->same_owner(fresh))
                throw Failure(GANTRY_E_CONFLICT, "another workload has the name '" + fresh.name + "'");
            if (!old)
                throw Failure(GANTRY_E_UNAVAILABLE, "workload '" + fresh.name + "' is there already");
        }
        if (old)
            fresh.name = free_name(fresh.name);
        fresh.start();
        auto [place, added] = workloads_.emplace(fresh.handle, std::move(fresh));
        if (old) {
            old->stop();
            tell(*old);
        }
        tell(place->second);
        return place->second;
    }

    Workload make(const gantry_spec &spec)
    {
        Workload fresh;
        fresh.handle = "c" + std::to_string(++made_);
        fresh.name = spec.name;
        fresh.id = spec.id;
        fresh.image = spec.image;
        fresh.hash = spec.hash;
        fresh.labels = pairs(spec.labels, spec.label_count, spec.label_stride);
        return fresh;
    }

    std::string free_name(const std::string &name)
    {
        std::string made;
        do {
            char number[8];
            std::snprintf(number, sizeof number, "%04x", names_++ & 0xffffu);
            made = name + "-new-" + number;
        } while (named(made));
        return made;
    }

    // NAME-new-XXXX takes NAME, when that is free.
    bool inherit(Workload &heir)
    {
        const std::size_t tail = std::string("-new-XXXX").size();
        if (heir.name.size() <= tail || heir.name.compare(heir.name.size() - tail, 5, "-new-") != 0)
            return false;
        const std::string name = heir.name.substr(0, heir.name.size() - tail);
        if (named(name))
            return false;
        heir.name = name;
        tell(heir);
        return true;
    }

    void tell(const Workload &workload)
    {
        auto gone = std::remove_if(watchers_.begin(), watchers_.end(), [&](const auto &weak) {
            auto watcher = weak.lock();
            if (watcher)
                watcher->tell(workload);
            return !watcher;
        });
        watchers_.erase(gone, watchers_.end());
    }

    std::map<std::string, std::string> take(Watcher &watcher)
    {
        Lock lock(mutex_);
        return watcher.take();
    }

    static void emit_last(const Call &call, std::deque<Line> &lines, const gantry_log_limits &limits)
    {
        const auto over = [](std::uint64_t size, std::uint64_t most) { return most != 0 && size > most; };
        std::uint64_t bytes = 0;
        for (Line &line : lines) {
            if (over(line.text.size(), limits.max_line_bytes))
                line.text = line.text.substr(0, limits.max_line_bytes) + " [cut]";
            bytes += line.text.size();
        }
        while (!lines.empty() && (over(lines.size(), limits.max_lines) || over(bytes, limits.max_bytes))) {
            bytes -= lines.front().text.size();
            lines.pop_front();
        }
        for (const Line &line : lines) {
            const std::string cursor = std::to_string(line.number);
            gantry_line raw{};
            raw.size = sizeof raw;
            raw.stream = GANTRY_STREAM_STDOUT;
            raw.text = line.text.data();
            raw.text_size = line.text.size();
            raw.time_ns = line.time_ns;
            raw.cursor = cursor.c_str();
            call.emit(raw);
        }
    }

    const gantry_host *host_;
    bool offline_ = false;
    std::set<std::string> images_;
    std::mutex mutex_; // of everything below
    std::map<std::string, Workload> workloads_;
    std::vector<std::weak_ptr<Watcher>> watchers_;
    unsigned made_ = 0, names_ = 0;
};

constexpr gantry_setting setting(std::uint32_t type, const char *key, const char *fallback, const char *help)
{
    return {sizeof(gantry_setting), type, GANTRY_SCOPE_BACKEND, 0, key, fallback, nullptr, nullptr, help};
}

const gantry_setting settings[] = {
    setting(GANTRY_TYPE_BOOL, "offline", "no", "answer as a runtime that cannot be reached"),
    setting(GANTRY_TYPE_LIST, "images", nullptr, "the images that there are; not given: all"),
};

// C++17 has no designated initialisers, so GANTRY_PLUGIN_HEAD and GANTRY_SETTINGS are written out.
constexpr gantry_plugin table()
{
    gantry_plugin p{};
    p.size = sizeof p;
    p.abi_major = GANTRY_ABI_MAJOR;
    p.abi_minor = GANTRY_ABI_MINOR;
    p.threads = GANTRY_THREADS_PARALLEL;
    p.name = "cpp";
    p.summary = "keeps workloads in a map, written in C++17";
    p.settings = settings;
    p.setting_count = sizeof settings / sizeof settings[0];
    p.setting_stride = sizeof settings[0];
    p.open = open_entry<Backend>;
    p.close = close_entry<Backend>;
    p.start = Entry<&Backend::start>::call;
    p.stop = Entry<&Backend::stop>::call;
    p.remove = Entry<&Backend::remove>::call;
    p.logs = Entry<&Backend::logs>::call;
    p.inspect = Entry<&Backend::inspect>::call;
    p.list = Entry<&Backend::list>::call;
    p.watch = Entry<&Backend::watch>::call;
    p.probe = Entry<&Backend::probe>::call;
    return p;
}

constexpr gantry_plugin plugin = table();

} // namespace
} // namespace strangers

GANTRY_PLUGIN(strangers::plugin)
