// gantry.hpp - the plugin border as C++ likes it: calls as objects, errors as exceptions, arrays as vectors.
//
// Nothing is thrown across the border: Entry<&Backend::method>::call is what the host sees, and turns every
// exception into a code and a text.  It knows plugin.h and nothing of any runtime.
#ifndef STRANGERS_GANTRY_HPP
#define STRANGERS_GANTRY_HPP

#include <gantry/plugin.h>

#include <cstdint>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace strangers
{

using Pairs = std::vector<std::pair<std::string, std::string>>;

// What went wrong, with one of GANTRY_E_*.
class Failure : public std::runtime_error
{
public:
    Failure(int code, const std::string &text) : std::runtime_error(text), code_(code)
    {
    }
    int code() const noexcept
    {
        return code_;
    }

private:
    int code_;
};

// The host wants the call to end with this code; there is nothing to say about it.
struct Ended {
    int code;
};

inline Pairs pairs(const gantry_pair *first, std::uint32_t count, std::uint32_t stride)
{
    Pairs all;
    all.reserve(count);
    for (std::uint32_t i = 0; i < count; i++) {
        const gantry_pair *pair = GANTRY_AT(gantry_pair, first, stride, i);
        all.emplace_back(pair->key, pair->value);
    }
    return all;
}

// One call of one operation; lives as long as it.
class Call
{
public:
    Call(const gantry_host *host, gantry_call *call) noexcept : host_(host), call_(call)
    {
    }

    void emit(const gantry_status &status) const
    {
        go_on(gantry_emit_status(host_, call_, &status));
    }
    void emit(const gantry_line &line) const
    {
        go_on(gantry_emit_line(host_, call_, &line));
    }
    void emit(const gantry_event &event) const
    {
        go_on(gantry_emit_event(host_, call_, &event));
    }
    void emit(const gantry_traits &traits) const
    {
        go_on(gantry_emit_traits(host_, call_, &traits));
    }

    // Wait until fd can be read.  Throws when the call is to end.
    void wait(std::int32_t fd) const
    {
        int rc = gantry_wait(host_, call_, &fd, 1, INT64_MAX, 0);
        if (rc < 0)
            throw Ended{rc};
        check();
    }

    void check() const
    {
        if (gantry_cancelled(host_, call_))
            throw Failure(GANTRY_E_CANCELLED, "the call was cancelled");
        if (gantry_remaining_ms(host_, call_) == 0)
            throw Failure(GANTRY_E_TIMEOUT, "the call's time was over");
    }

    // Run what may throw, for a caller that must not see it.
    template <typename Body> int run(Body &&body) const noexcept
    {
        try {
            body();
            return GANTRY_E_OK;
        } catch (const Ended &end) {
            return end.code;
        } catch (const Failure &failure) {
            return fail(failure.code(), failure.what());
        } catch (const std::bad_alloc &) {
            return fail(GANTRY_E_NOMEM, "out of memory");
        } catch (const std::exception &defect) {
            return fail(GANTRY_E_INTERNAL, defect.what());
        } catch (...) {
            return fail(GANTRY_E_INTERNAL, "something that is no std::exception was thrown");
        }
    }

private:
    int fail(int code, const char *text) const noexcept
    {
        return gantry_fail(host_, call_, code, "%s", text);
    }
    static void go_on(int rc)
    {
        if (rc != 0)
            throw Ended{rc};
    }

    const gantry_host *host_;
    gantry_call *call_;
};

// Entry<&Backend::stop>::call is Backend::stop() as an operation of struct gantry_plugin.
template <auto Method> struct Entry;
template <typename Backend, typename... Args, void (Backend::*Method)(const Call &, Args...)>
struct Entry<Method> {
    static int call(void *self, gantry_call *raw, Args... args) noexcept
    {
        auto *backend = static_cast<Backend *>(self);
        const Call call(backend->host(), raw);
        return call.run([&] { (backend->*Method)(call, args...); });
    }
};

template <typename Backend>
int open_entry(gantry_call *raw, const gantry_host *host, const gantry_settings *settings,
               void **self) noexcept
{
    return Call(host, raw).run([&] { *self = new Backend(host, settings); });
}

template <typename Backend> void close_entry(void *self) noexcept
{
    delete static_cast<Backend *>(self);
}

} // namespace strangers
#endif
