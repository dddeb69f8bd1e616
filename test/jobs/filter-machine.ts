/** What a classic BPF program answers for one system call: an interpreter of the few instructions that a filter here uses. */
export function verdictOf(
  program: Buffer,
  call: { architecture: number; number: number; arguments?: readonly number[] }
): number {
  const data = new Map([
    [0, call.number],
    [4, call.architecture],
    ...(call.arguments ?? []).map((value, index) => [16 + 8 * index, value] as const)
  ])
  let accumulator = 0
  for (let at = 0; at * 8 < program.length; at++) {
    const [code, yes, no, value] = [
      program.readUInt16LE(at * 8),
      program.readUInt8(at * 8 + 2),
      program.readUInt8(at * 8 + 3),
      program.readUInt32LE(at * 8 + 4)
    ]
    switch (code) {
      case 0x20:
        accumulator = data.get(value) ?? 0
        break
      case 0x54:
        accumulator = (accumulator & value) >>> 0
        break
      case 0x15:
        at += accumulator === value ? yes : no
        break
      case 0x35:
        at += accumulator >= value ? yes : no
        break
      case 0x06:
        return value
      default:
        throw new Error(`an instruction ${code.toString(16)} at ${at}`)
    }
  }
  throw new Error('the program ends without an answer')
}
