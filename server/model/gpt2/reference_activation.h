// The activation functions in float64, for the reference: plainly, by the formulas of core/activation.h.
#ifndef HYDROPHONE_SERVER_MODEL_GPT2_REFERENCE_ACTIVATION_H_
#define HYDROPHONE_SERVER_MODEL_GPT2_REFERENCE_ACTIVATION_H_

#include "server/core/activation.h"

namespace hydrophone {

double ReferenceActivation(Activation activation, double x);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_GPT2_REFERENCE_ACTIVATION_H_
