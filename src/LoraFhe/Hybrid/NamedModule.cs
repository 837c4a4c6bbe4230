using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>One module below a root: what it is, and where it hangs.</summary>
/// <param name="Name">Its dotted name below the root, as Python's <c>named_modules</c> spells it: <c>layers.0.fc1</c>. A property's backing
/// field counts under the property's name.</param>
/// <param name="Module">The module. It belongs to its parent.</param>
/// <param name="Parent">The module that holds it.</param>
/// <param name="ChildName">The name under which <paramref name="Parent"/> registered it.</param>
public readonly record struct NamedModule(string Name, nn.Module Module, nn.Module Parent, string ChildName);
