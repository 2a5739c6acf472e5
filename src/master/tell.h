/*
 * What control is told of the processes, for `sekisho status`.
 */
#ifndef MASTER_TELL_H
#define MASTER_TELL_H

struct slot;

/*
 * <s> started, became ready or ended: tell control. A control that has just become ready is
 * told of all, master included; one that is not ready yet is told nothing.
 */
void tell_process(const struct slot *s);

#endif
