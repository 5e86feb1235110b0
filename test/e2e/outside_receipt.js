// usage: node outside_receipt.js FOLDER RECEIPT LEAF_HASH_HEX KEY.pem
// Verifies a COSE receipt with the library below FOLDER. Exit status 0 if it holds and no receipt
// or leaf with one flipped bit does, else 1 with the reason.
'use strict'
const fs = require('fs')
const crypto = require('crypto')
const { createRequire } = require('module')

const [folder, path, leafHex, keyPath] = process.argv.slice(2)
const cose = createRequire(folder + '/')('@transmute/cose')

async function holds(receipt, leaf, verifier) {
    try {
        await cose.receipt.inclusion.verify({ entry: leaf, receipt, verifier })
        return true
    } catch {
        return false
    }
}

async function main() {
    const key = crypto.createPublicKey(fs.readFileSync(keyPath))
    const publicKeyJwk = { ...key.export({ format: 'jwk' }), alg: 'ES256' }
    const verifier = cose.detached.verifier({ resolver: { resolve: async () => publicKeyJwk } })
    const receipt = fs.readFileSync(path)
    const leaf = Buffer.from(leafHex, 'hex')
    if (!await holds(receipt, leaf, verifier)) {
        throw new Error('the receipt does not hold')
    }
    let count = 0
    for (let at = 0; at < leaf.length; at += 5, count++) {
        const other = Buffer.from(leaf)
        other[at] ^= 1
        if (await holds(receipt, other, verifier)) {
            throw new Error(`the receipt holds for another leaf (byte ${at})`)
        }
    }
    for (let at = 0; at < receipt.length; at += 3, count++) {
        const other = Buffer.from(receipt)
        other[at] ^= 1
        if (await holds(other, leaf, verifier)) {
            throw new Error(`a receipt with byte ${at} altered holds`)
        }
    }
    console.log(`holds; ${count} altered ones are refused`)
}

main().catch(error => {
    console.error(error.message)
    process.exit(1)
})
