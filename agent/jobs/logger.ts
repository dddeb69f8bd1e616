/** What jobs need of a logger; `pino` has it. */
export interface JobLogger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export const silent: JobLogger = { debug() {}, info() {}, warn() {} }
