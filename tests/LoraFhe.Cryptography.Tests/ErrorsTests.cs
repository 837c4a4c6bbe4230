using System.Reflection;

namespace LoraFhe.Cryptography.Tests;

public sealed class ErrorsTests
{
    [Fact]
    public void No_text_can_hold_data()
    {
        // Names, sizes and bindings only: a span, an array of words or a buffer has no way into a message.
        Type[] allowed = [typeof(string), typeof(int), typeof(long), typeof(LayerId), typeof(Binding)];
        var type = typeof(QuantizedLayer).Assembly.GetType("LoraFhe.Cryptography.Errors", throwOnError: true)!;
        var methods = type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.DeclaredOnly);
        var parameters = methods.SelectMany(method => method.GetParameters()).ToArray();
        Assert.NotEmpty(parameters);
        Assert.All(parameters, parameter => Assert.Contains(parameter.ParameterType, allowed));
    }
}
