import { expect, test } from "vitest";
import { addressOf } from "../../../collectors/stratum/script-address.ts";

// The two witness programs are the examples of BIP 173 and BIP 350; the first address is the genesis block's key hash.
test.each([
  ["76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac", "bitcoin", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"],
  ["a914748284390f9e263a4b766a75d0633c50426eb87587", "bitcoin", "3CK4fEwbMP7heJarmU4eqA3sMbVJyEnU3V"],
  ["0014751e76e8199196d454941c45d1b3a323f1433bd6", "bitcoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"],
  [
    "0014751e76e8199196d454941c45d1b3a323f1433bd6",
    "bitcoin-testnet",
    "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
  ],
  [
    "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
    "bitcoin-testnet",
    "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
  ],
  [
    "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    "bitcoin",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
  ],
  ["6a24aa21a9ed", "bitcoin", null],
  ["0014751e76", "bitcoin", null],
  ["76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac", "no such coin", null],
])("%s of %s pays %s", (script, coin, address) => {
  expect(addressOf(script, coin)).toBe(address);
});
