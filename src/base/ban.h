/*
 * Calls that STYLE rules out become undeclared names that say what to use instead.
 * Force-included behind every file's own headers by the build (-include), so that it cannot
 * be forgotten; system headers are read first, here.
 */
#ifndef BASE_BAN_H
#define BASE_BAN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef sprintf
#undef vsprintf
#undef strtok
#undef atoi
#undef gets
#undef alloca
#define strcpy(...) strcpy_is_banned_use_buf_add()
#define strcat(...) strcat_is_banned_use_buf_add()
#define strncpy(...) strncpy_is_banned_use_buf_add()
#define strncat(...) strncat_is_banned_use_buf_add()
#define sprintf(...) sprintf_is_banned_use_buf_addf()
#define vsprintf(...) vsprintf_is_banned_use_buf_addv()
#define strtok(...) strtok_is_banned_use_str_cut()
#define atoi(...) atoi_is_banned_use_str_u64()
#define gets(...) gets_is_banned_use_fd_read_all()
#define alloca(...) alloca_is_banned_use_arena_alloc()
#define system(...) system_is_banned_there_is_no_shell()
#define popen(...) popen_is_banned_there_is_no_shell()

#endif
