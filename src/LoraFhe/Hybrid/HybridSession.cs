using Microsoft.Extensions.Logging;

namespace LoraFhe;

/// <summary>What the frozen layers of one compiled model share.</summary>
/// <param name="Backend">Computes execute's products; ready when the first is asked for.</param>
/// <param name="Errors">Draws simulate's.</param>
/// <param name="Shared">Keeps what layers that share an input have not taken yet.</param>
/// <param name="Logger">Takes warnings.</param>
internal sealed record HybridSession(PreparedBackend Backend, SimulatedErrors Errors, SharedForward Shared, ILogger Logger);
