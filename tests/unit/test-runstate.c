/* SPDX-License-Identifier: MIT */
#include "hw/core/machine.h"
#include "system/loop/main-loop.h"
#include "system/runstate.h"

typedef struct Fixture {
    MachineState *machine;
    GString *trace;
} Fixture;

static void note_change(void *opaque, bool running)
{
    g_string_append_c(((Fixture *)opaque)->trace, running ? 'R' : 'S');
}

static void note_event(void *opaque, const char *event, const char *data)
{
    g_string_append_printf(((Fixture *)opaque)->trace, "<%s>", event);
}

static void note_button(void *opaque)
{
    g_string_append_c(((Fixture *)opaque)->trace, 'B');
}

static void set_up(Fixture *f, gconstpointer data)
{
    g_assert_true(vmm_init_main_loop(NULL));
    f->machine = machine_new(machine_find_class("none", NULL), NULL);
    f->trace = g_string_new(NULL);
    vm_add_change_state_handler(f->machine, note_change, f);
    machine_add_event_listener(f->machine, note_event, f);
    machine_add_powerdown_notifier(f->machine, note_button, f);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    machine_free(f->machine);
    g_string_free(f->trace, TRUE);
}

static void test_start_stop(Fixture *f, gconstpointer data)
{
    int64_t then;

    g_assert_cmpint(f->machine->run_state, ==, RUN_STATE_PRELAUNCH);
    vm_start(f->machine);
    vm_start(f->machine);
    g_assert_cmpint(f->machine->run_state, ==, RUN_STATE_RUNNING);
    vm_stop(f->machine, RUN_STATE_PAUSED);
    vm_stop(f->machine, RUN_STATE_PAUSED);
    g_assert_cmpstr(f->trace->str, ==, "R<RESUME>S<STOP>");
    then = vm_clock_get_ns(f->machine->clock, CLOCK_VIRTUAL);
    g_usleep(1000);
    g_assert_cmpint(vm_clock_get_ns(f->machine->clock, CLOCK_VIRTUAL), ==, then);
}

static void test_reset(Fixture *f, gconstpointer data)
{
    system_reset_request(f->machine, SHUTDOWN_CAUSE_GUEST_RESET);
    g_assert_false(main_loop_should_exit(f->machine));
    g_assert_false(main_loop_should_exit(f->machine));
    g_assert_cmpstr(f->trace->str, ==, "<RESET>");
}

static void test_no_reboot(Fixture *f, gconstpointer data)
{
    f->machine->actions.reboot = REBOOT_ACTION_SHUTDOWN;
    system_reset_request(f->machine, SHUTDOWN_CAUSE_GUEST_RESET);
    g_assert_true(main_loop_should_exit(f->machine));
    g_assert_cmpstr(f->trace->str, ==, "<SHUTDOWN>");
}

static void test_exit_status(Fixture *f, gconstpointer data)
{
    vm_start(f->machine);
    system_shutdown_request_with_code(f->machine, SHUTDOWN_CAUSE_GUEST_SHUTDOWN, 33);
    g_assert_cmpint(vmm_main_loop(f->machine), ==, 33);
    g_assert_cmpint(f->machine->run_state, ==, RUN_STATE_SHUTDOWN);
}

static void test_no_shutdown(Fixture *f, gconstpointer data)
{
    vm_start(f->machine);
    f->machine->actions.shutdown = SHUTDOWN_ACTION_PAUSE;
    system_shutdown_request(f->machine, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    g_assert_false(main_loop_should_exit(f->machine));
    g_assert_cmpint(f->machine->run_state, ==, RUN_STATE_SHUTDOWN);
    /* A reset makes it startable again; quit ends it all the same. */
    system_reset_request(f->machine, SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    g_assert_false(main_loop_should_exit(f->machine));
    g_assert_cmpint(f->machine->run_state, ==, RUN_STATE_PRELAUNCH);
    system_quit_request(f->machine, SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    g_assert_true(main_loop_should_exit(f->machine));
}

static void test_internal_error(Fixture *f, gconstpointer data)
{
    vm_start(f->machine);
    f->machine->internal_error = true;
    g_assert_cmpint(vmm_main_loop(f->machine), ==, 1);
    g_assert_cmpint(f->machine->run_state, ==, RUN_STATE_INTERNAL_ERROR);
}

static void test_powerdown(Fixture *f, gconstpointer data)
{
    system_powerdown_request(f->machine);
    g_assert_false(main_loop_should_exit(f->machine));
    g_assert_cmpstr(f->trace->str, ==, "<POWERDOWN>B");
}

static void set_action(Fixture *f, const char *event, const char *action)
{
    g_assert_true(run_state_action_set(f->machine, event, action, NULL));
}

static void test_panic(Fixture *f, gconstpointer data)
{
    vm_start(f->machine);
    set_action(f, "panic", "none");
    system_guest_panicked(f->machine);
    g_assert_false(main_loop_should_exit(f->machine));
    g_assert_cmpint(f->machine->run_state, ==, RUN_STATE_RUNNING);
    set_action(f, "panic", "pause");
    system_guest_panicked(f->machine);
    g_assert_false(main_loop_should_exit(f->machine));
    g_assert_cmpint(f->machine->run_state, ==, RUN_STATE_GUEST_PANICKED);
    set_action(f, "panic", "exit-failure");
    system_guest_panicked(f->machine);
    g_assert_cmpint(vmm_main_loop(f->machine), ==, 1);
}

static void test_watchdog(Fixture *f, gconstpointer data)
{
    vm_start(f->machine);
    system_watchdog_expired(f->machine);
    g_assert_false(main_loop_should_exit(f->machine));
    g_assert_cmpstr(f->trace->str, ==, "R<RESUME><WATCHDOG><RESET>");
    set_action(f, "watchdog", "pause");
    system_watchdog_expired(f->machine);
    g_assert_false(main_loop_should_exit(f->machine));
    g_assert_cmpint(f->machine->run_state, ==, RUN_STATE_WATCHDOG);
    set_action(f, "watchdog", "poweroff");
    system_watchdog_expired(f->machine);
    g_assert_true(main_loop_should_exit(f->machine));
}

static void test_bad_action(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(run_state_action_set(f->machine, "watchdog", "bark", &error));
    g_assert_nonnull(strstr(error->message, "inject-nmi"));
    g_assert_false(run_state_action_set(f->machine, "lunch", "none", NULL));
}

/* From a thread that is no vCPU, while the main loop sleeps. */
static void *request_shutdown(void *opaque)
{
    g_usleep(5000);
    system_shutdown_request(opaque, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    return NULL;
}

static void test_other_thread(Fixture *f, gconstpointer data)
{
    GThread *thread = g_thread_new("request", request_shutdown, f->machine);

    g_assert_cmpint(vmm_main_loop(f->machine), ==, 0);
    g_thread_join(thread);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, fn) g_test_add("/runstate/" path, Fixture, NULL, set_up, fn, tear_down)
    ADD("start-stop", test_start_stop);
    ADD("reset", test_reset);
    ADD("no-reboot", test_no_reboot);
    ADD("exit-status", test_exit_status);
    ADD("no-shutdown", test_no_shutdown);
    ADD("internal-error", test_internal_error);
    ADD("powerdown", test_powerdown);
    ADD("panic", test_panic);
    ADD("watchdog", test_watchdog);
    ADD("bad-action", test_bad_action);
    ADD("other-thread", test_other_thread);
    return g_test_run();
}
