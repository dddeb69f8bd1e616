import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { GROUPS_KEPT_MS, GroupHistory } from '../../agent/exchange/group-history.ts'
import { scratchFolder } from '../services/scratch.ts'
import { stateFolder } from '../store/folder.ts'

const never = () => new AbortController().signal
const UVA = { datasets: ['wages'], readers: ['UVA'] }

describe('what is remembered of groups that left', () => {
  const state = stateFolder()
  const open = async (most?: number) => {
    const clock = { time: 1000, now: () => clock.time }
    const store = await state.open()
    return { clock, history: new GroupHistory({ store, clock, ...(most === undefined ? {} : { most }) }) }
  }
  /** A job that lets groups leave; resolves to what it was told. */
  const job = async (history: GroupHistory, released: string, to = UVA, signal = never()) =>
    await history.during(to, signal, async ({ salt, room, groups, write }) => {
      const file = join(await scratchFolder(), 'earlier.csv')
      await write(file)
      const lines = await readFile(file, 'utf8')
      expect(new Set(lines.split('\n').flatMap((line) => line.split(',')[0] || [])).size).to.equal(groups)
      return { value: { salt, room, groups: lines }, released }
    })

  it('is told to the next job for the same organisation and dataset, and to no other', async () => {
    const { history } = await open()
    const first = await job(history, 's1,aa,1\ns1,bb,2\ns2,cc,3\n')
    expect(first.groups).to.equal('')
    const second = await job(history, '')
    expect(second.groups).to.equal('s1,aa,1\ns1,bb,2\ns2,cc,3\n')
    expect(second.salt)
      .to.equal(first.salt)
      .and.to.match(/^[0-9a-f]{64}$/)
    expect((await job(history, '', { datasets: ['wages'], readers: ['RUG'] })).groups).to.equal('')
    expect((await job(history, '', { datasets: ['leave'], readers: ['UVA'] })).groups).to.equal('')
    expect(
      (await job(history, '', { datasets: ['leave', 'wages'], readers: ['RUG', 'UVA'] })).groups
    ).to.equal(second.groups)
  })

  it('is complete for each of several jobs at once: they run one after the other', async () => {
    const { history } = await open()
    const told = await Promise.all(
      Array.from({ length: 20 }, async (_, number) => (await job(history, `s${number},aa,1\n`)).groups)
    )
    const counts = told.map((groups) => groups.split('\n').length - 1).sort((one, other) => one - other)
    expect(counts).to.deep.equal(Array.from({ length: 20 }, (_, number) => number))
  })

  it('does not stop the next job when one fails, and is nothing of it', async () => {
    const { history } = await open()
    const failing = history.during(UVA, never(), async () => {
      throw new Error('no room')
    })
    const next = job(history, '')
    expect(await failing.catch(String)).to.match(/no room/)
    expect((await next).groups).to.equal('')
  })

  it('is waited for no longer than the share may last, and nobody passes meanwhile', async () => {
    const { history } = await open()
    const first = Promise.withResolvers<{ value: null; released: string }>()
    const running = history.during(UVA, never(), async () => await first.promise)
    const controller = new AbortController()
    const waiting = job(history, 's2,bb,1\n', UVA, controller.signal)
    const last = job(history, '')
    controller.abort(new Error('too late'))
    expect(await waiting.catch(String)).to.match(/too late/)
    first.resolve({ value: null, released: 's1,aa,1\n' })
    await running
    expect((await last).groups).to.equal('s1,aa,1\n')
  })

  it('says how many more units can be remembered, of whoever knows most', async () => {
    const { history } = await open(5)
    await job(history, 's1,aa,1\ns1,bb,2\n')
    expect((await job(history, '')).room).to.equal(3)
    expect((await job(history, '', { datasets: ['wages'], readers: ['UVA', 'RUG'] })).room).to.equal(3)
    await job(history, 's1,aa,1\ns1,bb,2\n')
    expect((await job(history, '')).room).to.equal(3)
  })

  it('is forgotten a year after it left last', async () => {
    const { history, clock } = await open()
    await job(history, 's1,aa,1\n')
    await job(history, 's2,bb,1\n')
    clock.time += GROUPS_KEPT_MS - 1
    await job(history, 's2,bb,1\n')
    clock.time += 2
    expect((await job(history, '')).groups).to.equal('s2,bb,1\n')
  })
})
