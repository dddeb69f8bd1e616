export interface Caller {
  /** The user this token stands for, as `name@domain`. */
  user: string
}
