import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { differences } from '../../scripts/demo-data/check.ts'
import { generate } from '../../scripts/demo-data/generate.ts'
import { averageWage, HOLDERS, readSample, rowsOf } from '../../scripts/demo-data/sample.ts'

describe('The data of the demo', () => {
  const sample = readSample()

  it('is the whole sample, each row with one holder', () => {
    expect(sample).to.have.length(534)
    const dealt = HOLDERS.flatMap((holder) => rowsOf(holder, sample)).map(({ id }) => id)
    expect(dealt.sort((one, other) => one - other)).to.deep.equal(sample.map(({ id }) => id))
  })

  it('has the averages that are published for it', () => {
    const { female, male } = Object.fromEntries(averageWage(HOLDERS, sample))
    expect(female?.count).to.equal(245)
    expect(female?.average).to.be.closeTo(7.878857, 1e-6)
    expect(male?.count).to.equal(289)
    expect(male?.average).to.be.closeTo(9.994913, 1e-6)
  })

  it('loses nobody to the age that the agreements ask for', () => {
    expect(sample.every(({ age }) => age >= 18)).to.equal(true)
  })

  describe('as files', () => {
    let dir = ''
    before(async () => {
      dir = await mkdtemp(join(tmpdir(), 'dynamos-demo-'))
      await generate(dir)
    })
    after(async () => await rm(dir, { recursive: true }))

    const bytes = (path: string) => readFile(join(dir, path), 'utf8')

    it('speaks three dialects of CSV', async () => {
      expect(await bytes('VU/job.csv')).to.match(
        /^id;wage;occupation;sector;union\r\n1;5,1;other;manufacturing;1\r\n/
      )
      expect(await bytes('UVA/job.csv')).to.match(
        /^\uFEFF"id","wage","occupation","sector","union"\n2,4\.95,"other"/
      )
      expect(await bytes('RUG/job.csv')).to.match(/^id\twage\toccupation\tsector\tunion\r3\t6\.67\tother/)
      expect(await bytes('RUG/job.csv')).not.to.include('\n')
    })

    it('holds the rows of its holder and no other', async () => {
      const lines = (await bytes('VU/person.csv')).split('\r\n').slice(1, -1)
      expect(lines.map((line) => Number(line.split(';')[0]))).to.deep.equal(
        rowsOf('VU', sample).map(({ id }) => id)
      )
    })
  })

  describe('compared with an answer', () => {
    const right = averageWage(['VU', 'UVA'], sample)
    const rows = [...right].map(([gender, { average, count }]): [string, number, number] => [
      gender,
      average,
      count
    ])
    const answer = (found: unknown[][]) => ({
      results: [{ from: ['VU', 'UVA'], columns: ['gender', 'average', 'count'], rows: found }]
    })

    it('agrees with the same figures in any order', () => {
      expect(differences(answer([...rows].reverse()), ['VU', 'UVA'])).to.deep.equal([])
    })

    it('notices a figure that is off by a cent, a row too few, another group size', () => {
      const [[gender, average, count] = ['female', 0, 0], ...others] = rows
      for (const wrong of [
        [[gender, average + 0.01, count], ...others],
        others,
        [[gender, average, count + 1], ...others]
      ])
        expect(differences(answer(wrong), ['VU', 'UVA'])).not.to.deep.equal([])
    })

    it('does not take the data of one organisation for that of two', () => {
      expect(differences(answer(rows), ['VU'])).not.to.deep.equal([])
    })
  })
})
