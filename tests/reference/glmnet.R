# Reference numbers of R's glmnet for tests/test_units_glmnet.py. Run in this folder:
#   Rscript glmnet.R
# It writes glmnet_data.csv (what was fitted) and glmnet.csv (what glmnet 4.1-6 answered).
suppressPackageStartupMessages(library(glmnet))
glmnet.control(fdev = 0, devmax = 1)
set.seed(20261121)
digits <- function(x) format(x, digits = 17, scientific = TRUE, trim = TRUE)

n <- 40
X <- cbind(rnorm(n), 2 + 3 * rnorm(n), -1 + 0.2 * rnorm(n), 5 * rexp(n))
eta <- 0.8 * X[, 1] - 0.3 * X[, 2] + 2 * X[, 3] + 0.05 * X[, 4] + 2
data <- data.frame(X,
  gaussian = 10 * (eta + rnorm(n)),
  binomial = rbinom(n, 1, plogis(eta)),
  poisson = rpois(n, exp(pmin(eta, 2))),
  weight = runif(n, 0.5, 2)
)
data[] <- lapply(data, function(column) round(column, 6))
write.csv(data, "glmnet_data.csv", row.names = FALSE, quote = FALSE)
X <- as.matrix(data[, 1:4])

cases <- expand.grid(
  family = c("gaussian", "binomial", "poisson"), alpha = c(0, 0.4, 1),
  standardize = c(TRUE, FALSE), intercept = c(TRUE, FALSE), weighted = c(FALSE, TRUE),
  stringsAsFactors = FALSE
)
lines <- "family,lambda,alpha,standardize,intercept,weighted,b0,b1,b2,b3,b4"
for (i in seq_len(nrow(cases))) {
  case <- cases[i, ]
  lambda <- if (case$family == "gaussian") 1.5 else 0.05
  fit <- glmnet(X, data[[case$family]],
    family = case$family, alpha = case$alpha, lambda = c(4, 2, 1) * lambda,
    standardize = case$standardize, intercept = case$intercept,
    weights = if (case$weighted) data$weight else rep(1, n),
    thresh = 1e-22, maxit = 1e7
  )
  answer <- digits(as.vector(as.matrix(coef(fit))[, 3]))
  lines <- c(lines, paste(c(
    case$family, lambda, case$alpha, case$standardize, case$intercept, case$weighted, answer
  ), collapse = ","))
}
writeLines(lines, "glmnet.csv")
