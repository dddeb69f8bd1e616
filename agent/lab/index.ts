/** Many real agents on one machine: brought up from a topology file, left running, taken down again. */
export { labDown, labStatus } from './down.ts'
export { DriverNotYet, LabFailed, LabRuns } from './errors.ts'
export { type PreparedAgent, prepareLab } from './prepare.ts'
export { type LabInit, type LabView, labUp } from './up.ts'
