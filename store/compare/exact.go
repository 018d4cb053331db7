package compare

import "math"

// fisher is the two-sided exact test of R. A. Fisher ("On the interpretation of χ²
// from contingency tables, and the calculation of P", J. R. Stat. Soc. 85, 1922): if
// the sides did not differ, how often would ka of na and kb of nb sessions be parted
// so clearly or more, given that ka+kb have the thing?
func fisher(ka, na, kb, nb int) float64 {
	k := ka + kb
	is := hypergeometric(ka, k, na, nb)
	p := 0.0
	for x := max(0, k-nb); x <= min(k, na); x++ {
		// Equal probabilities differ in their last bits.
		if q := hypergeometric(x, k, na, nb); q <= is*(1+1e-9) {
			p += q
		}
	}
	return min(1, p)
}

// hypergeometric is the chance that x of k things that are dealt to na+nb sessions
// fall to the na.
func hypergeometric(x, k, na, nb int) float64 {
	return math.Exp(choose(na, x) + choose(nb, k-x) - choose(na+nb, k))
}

// choose is the logarithm of the binomial coefficient.
func choose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

// apart is the two-sided exact test for a complete separation: every session of one
// side has more than every session of the other. There are as many ways to deal
// na+nb ranks to the sides as there are sets of na, and two of them are so clear
// (the rank-sum test of F. Wilcoxon, Biometrics Bulletin 1, 1945).
func apart(na, nb int) float64 { return min(1, 2*math.Exp(-choose(na+nb, na))) }

// unseen is the largest share of a side's sessions that can have a thing which n
// sessions did not show, at a confidence of 95 %: 1 − 0.05^(1/n), which the rule of
// three gives as 3/n for many sessions (J. A. Hanley and A. Lippman-Hand, "If
// nothing goes wrong, is everything all right?", JAMA 249, 1983).
func unseen(n int) float64 { return 1 - math.Pow(0.05, 1/float64(max(1, n))) }

// What a row needs: how often chance alone would part its sessions so, and which part
// of all that is parted so chance is expected to have made.
const (
	sure        = 0.01
	sureShare   = 0.05
	likely      = 0.1
	likelyShare = 0.5
)

// sureness is the word for p and the share of chance. One session on a side is never
// more than a hint.
func sureness(p, share float64, na, nb int) string {
	switch {
	case min(na, nb) < 2 || p > likely || share > likelyShare:
		return "open"
	case p > sure || share > sureShare:
		return "likely"
	}
	return "sure"
}
