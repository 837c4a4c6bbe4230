// What it costs to break the scheme's parameters with the primal lattice attack, by the standard heuristics.
// `dotnet run --project tools/security-estimate` prints the table of docs/security.md.
using System.Globalization;
using LoraFhe.Cryptography;
using LoraFhe.Tools.SecurityEstimate;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
Console.WriteLine($"q = {EncryptedLinearParameters.Modulus}, secret: centred binomial {EncryptedLinearParameters.SecretEta}, "
    + $"error: centred binomial {EncryptedLinearParameters.ErrorEta}, unlimited samples");
Console.WriteLine("      N   samples   block size   core-SVP classical   core-SVP quantum");
foreach (var dimension in new[] { 1024, 1280, EncryptedLinearParameters.SecretDimension, 2048 })
{
    var attack = PrimalAttack.Cheapest(dimension, EncryptedLinearParameters.Modulus, EncryptedLinearParameters.SecretEta / 2.0, EncryptedLinearParameters.ErrorEta / 2.0);
    var used = dimension == EncryptedLinearParameters.SecretDimension ? "  <- in use" : "";
    Console.WriteLine($"   {dimension,4}   {attack.Samples,7}   {attack.BlockSize,10}   {PrimalAttack.ClassicalExponent * attack.BlockSize,18:F1}   {PrimalAttack.QuantumExponent * attack.BlockSize,16:F1}{used}");
}
