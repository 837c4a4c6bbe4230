using Microsoft.Extensions.Logging;

namespace LoraFhe;

/// <summary>What the frozen layers of one compiled model share.</summary>
/// <param name="Backend">Computes execute's products.</param>
/// <param name="Errors">Draws simulate's.</param>
/// <param name="Logger">Takes warnings.</param>
internal sealed record HybridSession(IFheBackend Backend, SimulatedErrors Errors, ILogger Logger);
