import { expect } from 'chai'
import fc from 'fast-check'
import { type QueryColumns, resultUnits } from '../../agent/requests/result-units.ts'

const TABLE = { name: 'table', parameters: {}, units: {} }
const average = (parameters: Record<string, string | string[]>) => ({
  name: 'average',
  parameters,
  units: { average: 'value' }
})
const says = (organisation: string, units: Record<string, string | undefined>): QueryColumns => ({
  organisation,
  columns: Object.entries(units).map(([name, unit]) => (unit === undefined ? { name } : { name, unit }))
})

const VU = says('VU', { gender: undefined, wage: 'EUR', hours: 'h' })
const RUG = says('RUG', { gender: undefined, wage: 'EUR', hours: 'min' })
const TUD = says('TUD', { gender: undefined, wage: undefined, hours: 'h' })

describe('units of a result', () => {
  it('are those of the columns that a table keeps', () => {
    expect(resultUnits({ from: ['VU'], columns: ['gender', 'wage'] }, [VU, RUG], TABLE)).to.deep.equal({
      wage: 'EUR'
    })
  })

  it('are known only where all whose rows are in it say the same', () => {
    const columns = ['wage', 'hours']
    expect(resultUnits({ from: ['VU', 'RUG'], columns }, [VU, RUG, TUD], TABLE)).to.deep.equal({
      wage: 'EUR'
    })
    expect(resultUnits({ from: ['VU', 'TUD'], columns }, [VU, RUG, TUD], TABLE)).to.deep.equal({ hours: 'h' })
    expect(resultUnits({ from: ['SURF'], columns }, [VU], TABLE)).to.deep.equal({})
  })

  it('follow the parameter that the manifest names, whatever its case, and the groups', () => {
    const columns = ['hours', 'average', 'count']
    expect(
      resultUnits({ from: ['VU'], columns }, [VU], average({ value: 'Wage', by: ['Hours'] }))
    ).to.deep.equal({ hours: 'h', average: 'EUR' })
  })

  it('are not those of a column of the query that only has the same name', () => {
    const counted = says('VU', { count: 'pieces', wage: 'EUR' })
    expect(
      resultUnits({ from: ['VU'], columns: ['average', 'count'] }, [counted], average({ value: 'wage' }))
    ).to.deep.equal({ average: 'EUR' })
  })

  it('belong to columns of the result alone, and survive strange names', () => {
    const strange = ['__proto__', 'constructor', 'a (b)', '€']
    fc.assert(
      fc.property(fc.uniqueArray(fc.oneof(fc.string(), fc.constantFrom(...strange))), (columns) => {
        const units = resultUnits({ from: ['VU'], columns }, [says('VU', { '€': 'EUR' })], TABLE)
        expect(Object.keys(units)).to.deep.equal(columns.includes('€') ? ['€'] : [])
      })
    )
  })
})
