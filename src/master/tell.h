/*
 * What others are told of the processes: control, for `sekisho status`, and the service
 * manager.
 */
#ifndef MASTER_TELL_H
#define MASTER_TELL_H

struct slot;

/*
 * <s> started, became ready or ended: tell control. A control that has just become ready is
 * told of all, master included; one that is not ready yet is told nothing. The service manager
 * is told how many are ready, and once all have been that the start is over.
 */
void tell_process(const struct slot *s);

#endif
