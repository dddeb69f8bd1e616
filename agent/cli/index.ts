/** The command line. `main.ts` is the program; {@link run} is the same without a process around it. */
export type { Doors, ProfiledTable, RunningAgent } from './doors.ts'
export { EXIT } from './exit.ts'
export { run } from './run.ts'
export type { Terminal } from './terminal.ts'
