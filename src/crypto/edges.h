/* Inside crypto/ and its tests only. Made by tools/ed25519_edges.py: Ed25519 signatures that
 * verifiers disagree about. Each refused one satisfies the equation under the most lenient
 * reading, so only the rule that it names can refuse it. A non-canonical A or R that satisfies
 * an equation is always of small order too: nobody knows the discrete logarithm of the others. */
#ifndef CAIRN_CRYPTO_EDGES_H
#define CAIRN_CRYPTO_EDGES_H

#include <stdbool.h>

struct ed25519_edge {
    const char *rule;
    bool good;
    const char *key;
    const char *message; /* text; the others are hex */
    const char *signature;
};

static const struct ed25519_edge ed25519_edges[] = {
    {"an ordinary signature", true,
     "ff6f43ab4e72e31b78049fcc5f97455becdd0ea428c1fd6c7a0fc66e991c7cb9", "good 0",
     "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23"
     "586c1766a22a398e122d8acb15a00542196f0c16e67b285065d44cd2bb646d03"},
    {"S < L", false, "ff6f43ab4e72e31b78049fcc5f97455becdd0ea428c1fd6c7a0fc66e991c7cb9",
     "malleable 0",
     "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23"
     "94a576e9d3874d4c5ed4c558ff3b87a4bab58817478134133eb8ff630400fa13"},
    {"A not of small order (0 T)", false,
     "0100000000000000000000000000000000000000000000000000000000000000", "small A 0 0",
     "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23"
     "e878dca548664051e5e695d8c157b538a506f9a3dd9f0e9cfed7f4de62238207"},
    {"A not of small order (1 T)", false,
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "small A 1 2",
     "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23"
     "e878dca548664051e5e695d8c157b538a506f9a3dd9f0e9cfed7f4de62238207"},
    {"A not of small order (2 T)", false,
     "0000000000000000000000000000000000000000000000000000000000000080", "small A 2 0",
     "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23"
     "e878dca548664051e5e695d8c157b538a506f9a3dd9f0e9cfed7f4de62238207"},
    {"A not of small order (3 T)", false,
     "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "small A 3 29",
     "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23"
     "e878dca548664051e5e695d8c157b538a506f9a3dd9f0e9cfed7f4de62238207"},
    {"A not of small order (4 T)", false,
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "small A 4 0",
     "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23"
     "e878dca548664051e5e695d8c157b538a506f9a3dd9f0e9cfed7f4de62238207"},
    {"A not of small order (5 T)", false,
     "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", "small A 5 3",
     "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23"
     "e878dca548664051e5e695d8c157b538a506f9a3dd9f0e9cfed7f4de62238207"},
    {"A not of small order (6 T)", false,
     "0000000000000000000000000000000000000000000000000000000000000000", "small A 6 4",
     "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23"
     "e878dca548664051e5e695d8c157b538a506f9a3dd9f0e9cfed7f4de62238207"},
    {"A not of small order (7 T)", false,
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", "small A 7 2",
     "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23"
     "e878dca548664051e5e695d8c157b538a506f9a3dd9f0e9cfed7f4de62238207"},
    {"R not of small order (0 T)", false,
     "ff6f43ab4e72e31b78049fcc5f97455becdd0ea428c1fd6c7a0fc66e991c7cb9", "small R 0 0",
     "0100000000000000000000000000000000000000000000000000000000000000"
     "5f42b871c6ff5c00c08989242a2a1a17ad192b713e5b8bb83ba5ce42d07fbb00"},
    {"R not of small order (1 T)", false,
     "bf0897a61d855442ee8ea10d40d5e4295cf6a0f9a153daecf3f162db13f2950a", "small R 1 8",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
     "fd9418934fe784d1a14c9b52e944962a205e603ba19061993c0a1af0d2751200"},
    {"R not of small order (2 T)", false,
     "bf0897a61d855442ee8ea10d40d5e4295cf6a0f9a153daecf3f162db13f2950a", "small R 2 7",
     "0000000000000000000000000000000000000000000000000000000000000080"
     "d82815c40c810142376d5b04397eabd9c5eb555c3b39f69c87084f20ff042a08"},
    {"R not of small order (3 T)", false,
     "bf0897a61d855442ee8ea10d40d5e4295cf6a0f9a153daecf3f162db13f2950a", "small R 3 11",
     "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
     "2567630c8afae1aaef89f7ba276fb957ec3c710abe1adda7de68beffdc191902"},
    {"R not of small order (4 T)", false,
     "bf0897a61d855442ee8ea10d40d5e4295cf6a0f9a153daecf3f162db13f2950a", "small R 4 10",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "367228b9917473b32224cce1a6cef16a3b7dd4baa1d0569fd1950ec069c7eb0c"},
    {"R not of small order (5 T)", false,
     "bf0897a61d855442ee8ea10d40d5e4295cf6a0f9a153daecf3f162db13f2950a", "small R 5 13",
     "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"
     "ec9bd78df46a26d7c28dcbd3365f43a591953441420d05698afe682080cc4f05"},
    {"R not of small order (6 T)", false,
     "bf0897a61d855442ee8ea10d40d5e4295cf6a0f9a153daecf3f162db13f2950a", "small R 6 4",
     "0000000000000000000000000000000000000000000000000000000000000000"
     "fbf42055172c84cc0ac909892009e9f04dd70ecedd4811104cb6fbbf02b71106"},
    {"R not of small order (7 T)", false,
     "bf0897a61d855442ee8ea10d40d5e4295cf6a0f9a153daecf3f162db13f2950a", "small R 7 17",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
     "ddca51d3b081c3c3ce561c2fa8d0ad6e96a99cdbcd64ae0ef4c3cabdb2367a00"},
    {"A canonical (y = p)", false,
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "non-canonical A y = p 3",
     "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23"
     "e878dca548664051e5e695d8c157b538a506f9a3dd9f0e9cfed7f4de62238207"},
    {"R canonical (y = p)", false,
     "bf0897a61d855442ee8ea10d40d5e4295cf6a0f9a153daecf3f162db13f2950a", "non-canonical R y = p 0",
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "c7b9d01d23a8f9f63483639b064009ecc6809a3fe634dcb3e8eb46309daabc07"},
    {"A canonical (y = p + 1)", false,
     "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
     "non-canonical A y = p + 1 0",
     "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23"
     "e878dca548664051e5e695d8c157b538a506f9a3dd9f0e9cfed7f4de62238207"},
    {"R canonical (y = p + 1)", false,
     "bf0897a61d855442ee8ea10d40d5e4295cf6a0f9a153daecf3f162db13f2950a",
     "non-canonical R y = p + 1 13",
     "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "0db6c06ff09d97b18bd41291fe66f7a594576f18134c5207bb1339f8f8ebe006"},
    {"A canonical (y = 1, sign of x set)", false,
     "0100000000000000000000000000000000000000000000000000000000000080",
     "non-canonical A y = 1, sign of x set 0",
     "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23"
     "e878dca548664051e5e695d8c157b538a506f9a3dd9f0e9cfed7f4de62238207"},
    {"R canonical (y = 1, sign of x set)", false,
     "bf0897a61d855442ee8ea10d40d5e4295cf6a0f9a153daecf3f162db13f2950a",
     "non-canonical R y = 1, sign of x set 7",
     "0100000000000000000000000000000000000000000000000000000000000080"
     "d6178554e0c3ed1ed36af210014720f64f168b58972f65ee5c738f2debbbf502"},
    {"A canonical (y = p - 1, sign of x set)", false,
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "non-canonical A y = p - 1, sign of x set 1",
     "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23"
     "e878dca548664051e5e695d8c157b538a506f9a3dd9f0e9cfed7f4de62238207"},
    {"R canonical (y = p - 1, sign of x set)", false,
     "bf0897a61d855442ee8ea10d40d5e4295cf6a0f9a153daecf3f162db13f2950a",
     "non-canonical R y = p - 1, sign of x set 0",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "6d624dc7a1d1c7a564dddd8d0622bbaf25f7e722e72783ce607fa2aac5f3bd01"},
    {"cofactorless (A of mixed order)", false,
     "bf0897a61d855442ee8ea10d40d5e4295cf6a0f9a153daecf3f162db13f2950a", "cofactored A 0",
     "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23"
     "f8d33c8e150ae74e03b4cabe17a6cd9a066950fbb728179706138fe611d3da04"},
    {"cofactorless (R of mixed order)", false,
     "ff6f43ab4e72e31b78049fcc5f97455becdd0ea428c1fd6c7a0fc66e991c7cb9", "cofactored R 0",
     "4c261951fba9f4ba7ece40431f212269f58becc2473c54cecda0e8f1e6f9d253"
     "20808452889aeb6ce72dd982b0fc4504c4a0c60e94964b2b068cfb8e33298f04"},
    {"A of mixed order is no reason", true,
     "bf0897a61d855442ee8ea10d40d5e4295cf6a0f9a153daecf3f162db13f2950a", "mixed A 4",
     "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23"
     "a1d1ad377dec2a1af0a9992884e62167617b4d2c6f322bb4a31bedb4de925303"},
    {"A and R of mixed order are no reason", true,
     "bf0897a61d855442ee8ea10d40d5e4295cf6a0f9a153daecf3f162db13f2950a", "mixed A and R 4",
     "4c261951fba9f4ba7ece40431f212269f58becc2473c54cecda0e8f1e6f9d253"
     "f801f0646aa8383809ae60d3bf36a90cb43377dff715532899be9d2f62b83206"},
};

#endif
