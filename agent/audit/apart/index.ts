/** A log checked in a process of its own, so that whoever answers others loses no time by it. */
export { type Apart, checkingApart } from './checking-apart.ts'
