"""What makes the emulator's state survive `kill -9`: generations of snapshots, and a journal of DynamoDB writes.

ministack saves its state only when it is shut down cleanly. Here

* a *generation* is a folder with one snapshot file per service, made at start, after each deployment and at the
  end; a file named `current` says which one counts, so a crash while writing one leaves the last whole one;
* DynamoDB writes are appended to the generation's journal before the caller gets its answer;
* small services that hold data of users (Cognito, SQS, schedules, parameters) rewrite their own file before the
  caller of a change gets its answer.

Safe against the death of the process at any point. Not against loss of power: nothing is forced to the disk on
the way of a request.
"""
