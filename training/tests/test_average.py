import pytest
import torch

from training.average import averaged


def test_the_middle_lies_between_and_keeps_what_goes_with_the_later_one():
    before = {"generator_average": {"w": torch.tensor([0.0, 2.0]).half(), "n": torch.tensor(3)}, "seen": 10, "discriminator_heads": "old"}
    after = {"generator_average": {"w": torch.tensor([1.0, 4.0]).half(), "n": torch.tensor(5)}, "seen": 30, "discriminator_heads": "new"}
    middle = averaged(before, after)
    assert torch.equal(middle["generator_average"]["w"], torch.tensor([0.5, 3.0]).half())
    assert middle["generator_average"]["n"] == 5 and middle["seen"] == 30 and middle["discriminator_heads"] == "new"
    assert torch.equal(averaged(before, after, 1.0)["generator_average"]["w"], after["generator_average"]["w"])
    with pytest.raises(ValueError, match="different shapes"):
        averaged({"generator_average": {"w": torch.zeros(3)}}, after)
