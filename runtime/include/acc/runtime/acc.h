/*===- acc.h - C interface of the runtime ----------------------------------===
 *
 * Load an artifact, give it inputs, run it, take outputs:
 *
 *   acc_program *program;
 *   acc_status *status = acc_program_load("model.acc", &program);
 *   if (status) { puts(acc_status_message(status)); acc_status_free(status); }
 *   acc_session *session;
 *   acc_options options = {.struct_size = sizeof options, .threads = 2};
 *   acc_session_create(program, &options, &session);
 *   acc_session_set_input(session, "x", x, sizeof x);
 *   acc_session_run(session);
 *   acc_session_get_output(session, "y", y, sizeof y);
 *
 * Functions that can fail return NULL or a status that the caller frees.
 * Buffers belong to the caller and are copied. A session keeps its program
 * alive. Different sessions may be used from different threads, one session
 * from one thread at a time (acc_session_cancel: from any).
 *
 *===----------------------------------------------------------------------===*/
#ifndef ACC_RUNTIME_ACC_H
#define ACC_RUNTIME_ACC_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define ACC_API __attribute__((visibility("default")))
#else
#define ACC_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct acc_status acc_status;
typedef struct acc_program acc_program;
typedef struct acc_session acc_session;

/* Codes are those of absl::StatusCode; 0 never occurs. */
ACC_API int acc_status_code(const acc_status *status);
ACC_API const char *acc_status_message(const acc_status *status);
ACC_API void acc_status_free(acc_status *status);

/* Version of this interface: major * 1000 + minor. */
ACC_API int acc_version(void);

/* Nothing that fails verification is loaded. `folder` is where the artifact's
 * references to other files start, NULL if it may have none. */
ACC_API acc_status *acc_program_load(const char *path, acc_program **out);
ACC_API acc_status *acc_program_load_memory(const void *bytes, size_t size, const char *folder,
                                            acc_program **out);
ACC_API void acc_program_free(acc_program *program);

/* Element types have the ISA's codes: 1 f32, 2 f16, 3 bf16, 4 f64, 5 i8, 6 u8,
 * 7 i16, 8 u16, 9 i32, 10 u32, 11 i64, 12 u64, 13 bool, ... Strings and dims
 * live as long as the program. */
typedef struct acc_tensor_info {
  const char *name;
  int dtype;
  size_t rank;
  const int64_t *dims;
  size_t bytes;
} acc_tensor_info;

ACC_API size_t acc_program_input_count(const acc_program *program);
ACC_API size_t acc_program_output_count(const acc_program *program);
/* False if there is no such input or output. */
ACC_API int acc_program_input(const acc_program *program, size_t index, acc_tensor_info *out);
ACC_API int acc_program_output(const acc_program *program, size_t index, acc_tensor_info *out);

/* struct_size lets later versions append fields; zero means the default. */
typedef struct acc_options {
  size_t struct_size;
  int threads;              /* 0: one */
  int sanitize;             /* check hazards, initialisation, deadlock */
  int64_t max_instructions; /* 0: no limit */
} acc_options;

/* `options` may be NULL. */
ACC_API acc_status *acc_session_create(const acc_program *program, const acc_options *options,
                                       acc_session **out);
ACC_API void acc_session_free(acc_session *session);
ACC_API acc_status *acc_session_set_input(acc_session *session, const char *name, const void *data,
                                          size_t bytes);
/* With its shape: for inputs whose sizes a run decides. acc_tensor_info has the
 * greatest sizes. */
ACC_API acc_status *acc_session_set_input_shaped(acc_session *session, const char *name,
                                                 const void *data, size_t bytes,
                                                 const int64_t *dims, size_t rank);
/* The shape of an output after a run; `rank` must be that of acc_tensor_info. */
ACC_API acc_status *acc_session_get_output_dims(const acc_session *session, const char *name,
                                                int64_t *dims, size_t rank);
ACC_API acc_status *acc_session_run(acc_session *session);
/* Ends the current run, or the next one, with code 1 (cancelled). */
ACC_API void acc_session_cancel(acc_session *session);
/* `bytes` must be the output's size. */
ACC_API acc_status *acc_session_get_output(const acc_session *session, const char *name, void *data,
                                           size_t bytes);
/* Statistics of the last run as JSON; valid until the next call or run. */
ACC_API const char *acc_session_stats_json(acc_session *session);

#ifdef __cplusplus
}
#endif

#endif /* ACC_RUNTIME_ACC_H */
