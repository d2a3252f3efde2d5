/*===- use_from_c.c - The C interface used from C -----------------------------===
 *
 * use_from_c ARTIFACT: runs the pipeline program (pipeline_program.h) on an
 * input of ones and prints the first output; capi_test.cc checks what.
 *
 *===----------------------------------------------------------------------===*/
#include "acc/runtime/acc.h"
#include <stdio.h>
#include <stdlib.h>

static void check(acc_status *status) {
  if (!status)
    return;
  printf("error %d: %s\n", acc_status_code(status), acc_status_message(status));
  acc_status_free(status);
  exit(1);
}

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  acc_program *program;
  check(acc_program_load(argv[1], &program));
  acc_tensor_info x, y;
  if (acc_program_input_count(program) != 1 || acc_program_output_count(program) != 1 ||
      !acc_program_input(program, 0, &x) || !acc_program_output(program, 0, &y) ||
      acc_program_output(program, 1, &y))
    return 3;
  printf("%s %d %zu %zu\n", x.name, x.dtype, x.rank, x.bytes);

  acc_session *session;
  acc_options options = {.struct_size = sizeof options, .threads = 2, .sanitize = 1};
  check(acc_session_create(program, &options, &session));
  acc_program_free(program); /* the session keeps what it needs */

  float *in = malloc(x.bytes), *out = malloc(y.bytes);
  size_t i, bytes = 64 * 16 * 4;
  for (i = 0; i < 64 * 32; ++i)
    in[i] = 1.0f;
  check(acc_session_set_input(session, "x", in, 64 * 32 * 4));
  acc_session_cancel(session);
  acc_status *cancelled = acc_session_run(session);
  printf("cancelled %d\n", acc_status_code(cancelled));
  acc_status_free(cancelled);
  check(acc_session_run(session));
  check(acc_session_get_output(session, "y", out, bytes));
  printf("y[1] = %g\n", out[1]);
  printf("%s\n", acc_session_stats_json(session));
  check(acc_session_get_output(session, "y", out, 3)); /* fails: prints and exits */
  acc_session_free(session);
  return 0;
}
