import torch

from training.model import LineMaps


def _straight_face() -> torch.Tensor:
    """All points on one spot, but the contour: a straight line across the field, at y = 64."""
    points = torch.full((1, 70, 2), -1000.0)
    points[0, :17, 0] = torch.linspace(20, 108, 17)
    points[0, :17, 1] = 64.0
    return points


def test_a_line_is_one_on_itself_and_falls_off_with_the_distance():
    contour = LineMaps(sigma=1.3)(_straight_face())[0, 0]
    # Row r of the map lies at 2 r + 0.5 in the field.
    inside = slice(14, 50)
    for row in range(28, 37):
        wanted = torch.exp(torch.tensor(-((2 * row + 0.5 - 64) / 1.3) ** 2))
        assert torch.allclose(contour[row, inside], wanted, atol=0.02), row
    assert contour[:, :6].max() < 1e-3 and contour[:, 58:].max() < 1e-3


def test_points_that_are_not_known_draw_nothing():
    maps = LineMaps()(_straight_face())
    assert maps[0, 1:].abs().max() == 0


def test_lines_that_lie_on_each_other_stay_within_one():
    points = _straight_face()
    points[0, 48:60] = torch.stack([torch.linspace(40, 88, 12), torch.full((12,), 90.0)], 1)
    points[0, 60:68] = torch.stack([torch.linspace(40, 88, 8), torch.full((8,), 90.0)], 1)
    assert LineMaps()(points).max() == 1
