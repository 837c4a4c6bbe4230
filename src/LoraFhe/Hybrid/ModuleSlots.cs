using System.Collections;
using System.Collections.Concurrent;
using System.Reflection;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Finds every place of a module that holds another module.</summary>
/// <remarks>
/// TorchSharp reads a module's fields once, into the registry of children; <c>forward</c> goes on using the fields. So each child is held
/// at least twice. Fields of base classes, readonly fields, backing fields of properties, arrays, lists and dictionaries are all served;
/// <c>Sequential</c> and <c>ModuleList</c> are modules with a private list. A registered child that is found in none of these is held where
/// nobody can look: in a tuple, a structure, a delegate.
/// </remarks>
internal static class ModuleSlots
{
    // Which fields of a type can hold a module never changes.
    private static readonly ConcurrentDictionary<Type, FieldInfo[]> FieldsByType = new();

    /// <summary>The places in <paramref name="owner"/>, not in its children, in no particular order.</summary>
    public static IEnumerable<ModuleSlot> Of(nn.Module owner)
    {
        var registry = TorchInternals.Registry(owner);
        foreach (var (name, child) in registry)
        {
            yield return new RegistrySlot(owner, name, child);
        }

        var serving = Serving(owner).ToList();
        foreach (var slot in serving)
        {
            yield return slot;
        }

        foreach (var (name, child) in registry)
        {
            if (!serving.Exists(slot => ReferenceEquals(slot.Held, child)))
            {
                yield return new HiddenSlot(owner, name, LayerHook.Behind(owner, name) ?? child);
            }
        }
    }

    /// <summary>Registers what fields hold instead of what they held before.</summary>
    /// <remarks>A derived class that sets a field of its base anew leaves the registry as it was, since a name that is taken is passed over
    /// (https://github.com/dotnet/TorchSharp/issues/1485): <c>forward</c> would use one layer, and surgery find the other.</remarks>
    public static void RenewRegistry(nn.Module owner)
    {
        var registry = TorchInternals.Registry(owner);
        var inherited = FieldsByType.GetOrAdd(owner.GetType(), CandidateFields)
            .Where(field => field.DeclaringType != owner.GetType() && registry.ContainsKey(field.Name)).ToList();
        if (inherited.Count == 0)
        {
            return;
        }

        var serving = Serving(owner).ToList();
        foreach (var slot in serving.OfType<FieldSlot>().Where(slot => inherited.Contains(slot.Field)))
        {
            var old = registry[slot.Field.Name];
            if (!serving.Exists(other => ReferenceEquals(other.Held, old)) && !registry.values().Contains(slot.Held))
            {
                new RegistrySlot(owner, slot.Field.Name, old).Put(slot.Held);
            }
        }
    }

    // The places that forward uses.
    private static IEnumerable<ModuleSlot> Serving(nn.Module owner)
    {
        if (DictionaryType(owner.GetType()) is { } dictionaryType)
        {
            // Its setter writes both the list and the dictionary behind it; the fields alone would have to be kept in step.
            foreach (var slot in OfModuleDict(owner, dictionaryType))
            {
                yield return slot;
            }

            yield break;
        }

        foreach (var field in FieldsByType.GetOrAdd(owner.GetType(), CandidateFields))
        {
            foreach (var slot in OfField(owner, field))
            {
                yield return slot;
            }
        }
    }

    private static IEnumerable<ModuleSlot> OfField(nn.Module owner, FieldInfo field)
    {
        switch (field.GetValue(owner))
        {
            case nn.Module module:
                yield return new FieldSlot(owner, field, module);
                break;
            case Array { Rank: > 1 } grid:
                foreach (var element in grid.OfType<nn.Module>())
                {
                    yield return new ReadOnlySlot(owner, field, element);
                }

                break;
            case IList list:
                var elementType = list.GetType().GetElementType() ?? ElementType(list.GetType(), typeof(IList<>), 0);
                for (var i = 0; i < list.Count && !elementType.IsValueType; i++)
                {
                    if (list[i] is nn.Module element)
                    {
                        yield return list.IsReadOnly
                            ? new ReadOnlySlot(owner, field, element)
                            : new ListSlot(owner, field.Name, elementType, element, list, i);
                    }
                }

                break;
            case IDictionary dictionary:
                var valueType = ElementType(dictionary.GetType(), typeof(IDictionary<,>), 1);
                if (valueType.IsValueType)
                {
                    break;
                }

                foreach (DictionaryEntry entry in dictionary)
                {
                    if (entry.Value is nn.Module value)
                    {
                        yield return dictionary.IsReadOnly
                            ? new ReadOnlySlot(owner, field, value)
                            : new DictionarySlot(owner, field.Name, valueType, value, dictionary, entry.Key);
                    }
                }

                break;
        }
    }

    private static IEnumerable<ModuleSlot> OfModuleDict(nn.Module owner, Type dictionaryType)
    {
        var item = dictionaryType.GetProperty("Item", [typeof(string)])!;
        var contains = dictionaryType.GetMethod("ContainsKey", [typeof(string)])!;
        foreach (var (name, _) in TorchInternals.Registry(owner))
        {
            // What the dictionary holds, which need not be what is registered: a layer that stays has its replacement there.
            if (contains.Invoke(owner, [name]) is true)
            {
                yield return new ItemSlot(owner, name, item, (nn.Module)item.GetValue(owner, [name])!);
            }
        }
    }

    private static FieldInfo[] CandidateFields(Type type)
    {
        var fields = new List<FieldInfo>();
        for (var level = type; level is not null && level != typeof(nn.Module); level = level.BaseType)
        {
            fields.AddRange(level
                .GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
                .Where(field => MayHoldModules(field.FieldType)));
        }

        return [.. fields];
    }

    // A field typed as an interface or as object may hold a module as well.
    private static bool MayHoldModules(Type type) =>
        !type.IsValueType && !type.IsPointer && type != typeof(string) && !typeof(Delegate).IsAssignableFrom(type);

    private static Type? DictionaryType(Type type)
    {
        for (var level = type; level is not null; level = level.BaseType)
        {
            if (level.IsGenericType && level.GetGenericTypeDefinition() == typeof(ModuleDict<>))
            {
                return level;
            }
        }

        return null;
    }

    private static Type ElementType(Type collection, Type definition, int argument) =>
        collection.GetInterfaces()
            .Where(candidate => candidate.IsGenericType && candidate.GetGenericTypeDefinition() == definition)
            .Select(candidate => candidate.GetGenericArguments()[argument])
            .FirstOrDefault(typeof(object));

    private sealed record RegistrySlot(nn.Module Owner, string Name, nn.Module Stored) : ModuleSlot(Owner, Name, typeof(nn.Module), Stored)
    {
        public override bool ServesForward => false;

        protected override void Set(nn.Module module)
        {
            // By position, which keeps the order of children; the registry's Add refuses a name it knows.
            var registry = TorchInternals.Registry(Owner);
            var index = 0;
            while (registry[index].Item1 != Name)
            {
                index++;
            }

            registry[index] = (Name, module);
        }
    }

    private sealed record FieldSlot(nn.Module Owner, FieldInfo Field, nn.Module Stored)
        : ModuleSlot(Owner, ModuleSurgery.PropertyName(Field.Name), Field.FieldType, Stored)
    {
        protected override void Set(nn.Module module) => Field.SetValue(Owner, module);
    }

    private sealed record ListSlot(nn.Module Owner, string Name, Type DeclaredType, nn.Module Stored, IList List, int Index)
        : ModuleSlot(Owner, Name, DeclaredType, Stored)
    {
        protected override void Set(nn.Module module) => List[Index] = module;
    }

    private sealed record DictionarySlot(nn.Module Owner, string Name, Type DeclaredType, nn.Module Stored, IDictionary Dictionary, object Key)
        : ModuleSlot(Owner, Name, DeclaredType, Stored)
    {
        protected override void Set(nn.Module module) => Dictionary[Key] = module;
    }

    /// <summary>A collection that gives its elements away but takes none.</summary>
    private sealed record ReadOnlySlot(nn.Module Owner, FieldInfo Field, nn.Module Stored)
        : ModuleSlot(Owner, ModuleSurgery.PropertyName(Field.Name), Field.FieldType, Stored)
    {
        public override bool IsReadOnly => true;

        protected override void Set(nn.Module module)
        {
        }
    }

    private sealed record ItemSlot(nn.Module Owner, string Name, PropertyInfo Item, nn.Module Stored)
        : ModuleSlot(Owner, Name, Item.PropertyType, Stored)
    {
        protected override void Set(nn.Module module) => Item.SetValue(Owner, module, [Name]);
    }

    /// <summary>A registered child that no field or collection holds: it may be in a tuple, a structure or a delegate.</summary>
    private sealed record HiddenSlot(nn.Module Owner, string Name, nn.Module Stored) : ModuleSlot(Owner, Name, Stored.GetType(), Stored)
    {
        public override bool IsKnown => false;

        protected override void Set(nn.Module module)
        {
        }
    }
}
