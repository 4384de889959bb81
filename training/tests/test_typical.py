import numpy as np
import torch

from training.data import FaceData, plain_views
from training.identity import Z
from training.model import Generator, composite
from training.typical import conspicuousness, drawn, limit_for


def test_the_form_tells_which_draws_change_the_picture(faces):
    torch.manual_seed(0)
    generator = Generator((8, 8, 8, 8)).eval()
    for name, parameter in generator.named_parameters():
        if ".film." in name:
            torch.nn.init.normal_(parameter, std=0.05)
    # Of these no layer hears anything.
    generator.mapping[0].weight.data[:, 32:] = 0
    views = plain_views(FaceData(faces), [0, 1])
    form = conspicuousness(generator, *views)
    assert np.isclose(np.trace(form), 1, atol=1e-3)
    assert np.abs(form[32:]).max() < 1e-6
    with torch.no_grad():
        still = composite(generator, *views, torch.zeros(2, Z))
        z = torch.randn(40, Z, generator=torch.Generator().manual_seed(1))
        changes = [(composite(generator, *views, one.expand(2, -1)) - still).square().mean().item() for one in z]
    expected = [(one @ form @ one) for one in z.numpy()]
    assert np.corrcoef(changes, expected)[0, 1] > 0.5


def test_draws_stay_within_the_limit_that_keeps_a_share_of_them():
    form = np.diag(np.linspace(0, 2 / Z, Z)).astype(np.float32)
    limit = limit_for(form, 0.6)
    z = torch.randn(4000, Z, generator=torch.Generator().manual_seed(0)).numpy()
    assert abs((((z @ form) * z).sum(1) <= limit).mean() - 0.6) < 0.03
    kept = drawn(form, limit, 50).numpy()
    assert kept.shape == (50, Z) and (((kept @ form) * kept).sum(1) <= limit).all()
