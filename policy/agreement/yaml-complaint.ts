/** The library quotes what it could not read, however long that is. */
const MAX_QUOTED = 200

/** What a YAML library says of a text, in a line of its own and no longer than a line is read. */
export function yamlComplaint(message: string): string {
  const [line = ''] = message.split('\n')
  return `expected YAML or JSON: ${line.length > MAX_QUOTED ? `${line.slice(0, MAX_QUOTED - 1)}…` : line}`
}
