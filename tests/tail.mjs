// A tail worker: hands what the platform tells of each invocation to the test that started it. See `Stack::start_with_tail`.
export default {
  async tail(events, env) {
    await fetch(env.TOLD_TO, { method: "POST", body: JSON.stringify(events) });
  },
};
