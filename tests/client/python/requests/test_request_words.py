"""Fields of requests in their callers' words."""

from python_client import hp

from hydrophone.requests.words import Words, shift


def test_the_longest_known_beginning_of_a_field_names_it():
    words = Words({"hooks[0]": "hook", "hooks[0].layers": "layers"})

    def said(field):
        return words(hp.Violation(field, "wrong")).argument

    assert said("hooks[0].layers[2]") == "layers[2]"
    assert said("hooks[0].hook_point") == "hook.hook"
    assert said("hooks[01].layers") == "hooks[01].layers", "not a beginning by characters, but by parts"
    assert said("hooks[0]") == "hook"
    assert said("inputs[3].token_ids[7]") == "inputs[3][7]"
    assert said("runs[1].interventions[0].units.features[2]") == "runs[1].edits[0].features[2]"
    assert said("") == ""


def test_a_parts_numbers_become_the_calls():
    violation = shift(hp.Violation("inputs[2].text", 'run 1 and "run 1" and runs[3], hooks[0].runs[1]'), 10, 20)
    assert violation.argument == "inputs[12].text"
    assert violation.description == 'run 21 and "run 1" and runs[23], hooks[0].runs[1]'


def test_violations_that_become_alike_are_said_once():
    error = hp.InvalidArgument("", violations=[hp.Violation(f"hooks[{n}].layers", "wrong") for n in range(3)])
    said = error.reworded(Words({f"hooks[{n}].layers": "layers" for n in range(3)}))
    assert said.violations == (hp.Violation("layers", "wrong"),) and str(said) == "layers: wrong"
