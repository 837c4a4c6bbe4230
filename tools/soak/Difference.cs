namespace LoraFhe.Tools.Soak;

/// <summary>How far our numbers are from recorded ones.</summary>
/// <param name="Name">The recorded tensor.</param>
/// <param name="Positions">Tokens that were compared.</param>
/// <param name="Largest">The largest absolute difference.</param>
internal sealed record Difference(string Name, long Positions, double Largest);
