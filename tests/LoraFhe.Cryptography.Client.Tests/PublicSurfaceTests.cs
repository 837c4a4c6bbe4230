using System.Reflection;
using System.Runtime.CompilerServices;

namespace LoraFhe.Cryptography.Client.Tests;

/// <summary>What nobody outside may be able to do: hand in secret randomness, or read a secret.</summary>
public sealed class PublicSurfaceTests
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Assembly Client = typeof(EncryptedLinearClient).Assembly;

    /// <summary>The only byte inputs: the server's message, and simulate's errors, which encrypt nothing.</summary>
    private static readonly string[] ByteInputs = ["PendingDecryption.Decrypt.response", "TokenEncoder.QuantizeWithErrors.errors"];

    [Fact]
    public void No_public_member_takes_secret_randomness()
    {
        foreach (var type in Client.GetExportedTypes())
        {
            Assert.DoesNotContain("Insecure", type.Name, StringComparison.Ordinal);
            foreach (var method in type.GetMembers(All).OfType<MethodBase>().Where(IsReachable))
            {
                foreach (var parameter in method.GetParameters())
                {
                    var name = $"{type.Name}.{method.Name}.{parameter.Name}";
                    Assert.False(IsSecretType(parameter.ParameterType), name);
                    Assert.True(!IsBytes(parameter.ParameterType) || ByteInputs.Contains(name), name);
                    Assert.True(!parameter.Name!.Contains("seed", StringComparison.OrdinalIgnoreCase) || parameter.ParameterType == typeof(PublicMatrixSeed), name);
                    Assert.DoesNotContain("random", parameter.Name, StringComparison.OrdinalIgnoreCase);
                }
            }
        }
    }

    [Fact]
    public void No_public_member_gives_a_secret()
    {
        foreach (var type in Client.GetExportedTypes())
        {
            Assert.False(IsSecretType(type), type.Name);
            foreach (var method in type.GetMethods(All).Where(IsReachable))
            {
                var name = $"{type.Name}.{method.Name}";
                Assert.False(IsSecretType(method.ReturnType), name);
                Assert.False(IsBytes(method.ReturnType), name);
            }

            Assert.All(type.GetFields(All), field => Assert.True(field.IsPrivate || field.IsAssembly || field.IsLiteral, $"{type.Name}.{field.Name}"));
        }
    }

    [Fact]
    public void Nothing_that_holds_a_secret_prints_its_members()
    {
        Type[] holders =
        [
            typeof(OneTimeSecret), typeof(PendingDecryption), typeof(EncryptedCall), typeof(EncryptedLinearClient), typeof(ResponseVerifier), typeof(SecretMemory),
            typeof(WorkerScratch), typeof(CallWorker), typeof(SecretStream), typeof(AesSecretStream), typeof(ChaChaSecretStream), typeof(RowTags), typeof(TokenEncoder),
            typeof(MaskAhead), typeof(MaskMaker), typeof(MaskedEncryptor),
            typeof(InstructionAes), typeof(InstructionAesSecretStream), typeof(GaloisHash),
        ];
        foreach (var type in holders)
        {
            Assert.Null(type.GetMethod("PrintMembers", All));
            Assert.Null(type.GetMethod(nameof(ToString), All, []));
            Assert.DoesNotContain(type.GetCustomAttributes(), static a => a is SerializableAttribute);
        }
    }

    [Fact]
    public void Public_classes_are_sealed_and_made_by_factories()
    {
        foreach (var type in Client.GetExportedTypes())
        {
            Assert.True(type.IsSealed, type.Name);
            Assert.True(type == typeof(HintStore) || type.GetConstructors().Length == 0, type.Name);
        }
    }

    [Fact]
    public void No_text_of_an_error_is_given_data()
    {
        Type[] allowed = [typeof(string), typeof(int), typeof(long), typeof(LayerId), typeof(Binding)];
        foreach (var method in typeof(Errors).GetMethods(All))
        {
            Assert.All(method.GetParameters(), parameter => Assert.Contains(parameter.ParameterType, allowed));
        }
    }

    [Fact]
    public void The_assembly_rests_on_the_base_library_and_the_public_half_only() =>
        Assert.All(Client.GetReferencedAssemblies(), static name => Assert.True(name.Name!.StartsWith("System.", StringComparison.Ordinal) || name.Name == "LoraFhe.Cryptography", name.Name));

    private static bool IsReachable(MethodBase method) =>
        (method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly) && method.GetCustomAttribute<CompilerGeneratedAttribute>() is null;

    private static bool IsSecretType(Type type) =>
        type.Assembly == Client && !type.IsPublic && !type.IsNested;

    private static bool IsBytes(Type type)
    {
        var element = type.IsArray ? type.GetElementType() : type.IsGenericType ? type.GetGenericArguments()[0] : null;
        return element == typeof(byte) || element == typeof(sbyte) || type.IsPointer || type == typeof(Stream);
    }
}
