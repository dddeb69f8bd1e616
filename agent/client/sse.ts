/** An event as it arrived; `data` may be anything. */
export interface ServerEvent {
  id: string | undefined
  data: string
}

const MAX_EVENT = 1 << 20

/**
 * Server-sent events (WHATWG HTML §9.2.6) of a response's body. What arrived of an event that was not finished is dropped.
 *
 * @throws {RangeError} for an event of more than 1 MiB
 */
export async function* readServerEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder()
  let pending = ''
  let id: string | undefined
  let data: string[] = []
  for await (const chunk of body) {
    pending += decoder.decode(chunk, { stream: true })
    if (pending.length > MAX_EVENT) throw new RangeError('an event of more than 1 MiB')
    const lines = pending.split(/\r\n|\n|\r(?!$)/)
    pending = lines.pop() ?? ''
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { id, data: data.join('\n') }
        data = []
        continue
      }
      const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
      if (field === 'data') data.push(value)
      if (field === 'id') id = value
    }
  }
}
